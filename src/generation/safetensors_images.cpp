#include "generation/safetensors_images.hpp"

#include "checkpoint/safetensors.hpp"
#include "core/error.hpp"
#include "core/files.hpp"
#include "core/log.hpp"
#include "core/temporary_path.hpp"

namespace effuse {

at::Tensor images_in(const std::filesystem::path& file) {
  if (!std::filesystem::exists(file)) return {};
  try {
    for (const auto& [name, tensor] : read_safetensors(file).tensors) {
      if (name == "images" && tensor.dim() == 4) return tensor;
    }
    log::local_warning(file.string(), " holds no images. It is made again.");
  } catch (const CheckpointError& error) {
    log::local_warning(error.what(), ". It is made again.");
  }
  return {};
}

void write_images(const std::filesystem::path& file, const at::Tensor& images) {
  std::filesystem::create_directories(file.parent_path());
  const std::filesystem::path temporary = temporary_sibling(file);
  const TemporaryPath guard(temporary);
  write_safetensors(temporary, {{"images", images}});
  rename_durably(temporary, file);
}

}  // namespace effuse
