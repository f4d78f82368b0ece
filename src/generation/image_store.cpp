#include "generation/image_store.hpp"

#include "core/error.hpp"
#include "core/text.hpp"
#include "generation/float_store.hpp"
#include "generation/png_store.hpp"

namespace effuse {

std::unique_ptr<ImageStore> make_image_store(const std::string& format,
                                             const std::filesystem::path& folder) {
  if (format == "png") return std::make_unique<PngStore>(folder);
  if (format == "safetensors") return std::make_unique<FloatStore>(folder);
  throw ConfigError(cat("sampling.format is \"", format, "\"; it must be png or safetensors"));
}

}  // namespace effuse
