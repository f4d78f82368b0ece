#include "generation/image_store.hpp"

#include "core/error.hpp"
#include "core/text.hpp"
#include "generation/file_store.hpp"
#include "generation/float_file.hpp"
#include "generation/npz_file.hpp"
#include "generation/shard_files.hpp"
#include "generation/tile_store.hpp"

namespace effuse {

std::unique_ptr<ImageStore> make_image_store(const std::filesystem::path& folder,
                                             const StoreSettings& settings) {
  const auto of_tiles = [&](std::unique_ptr<SetFile> file) {
    return std::make_unique<TileStore>(folder, settings.set, settings.tile_size, std::move(file));
  };
  const std::string& format = settings.format;
  if (format == "safetensors") return of_tiles(std::make_unique<FloatFile>(folder));
  if (format == "npz") return of_tiles(std::make_unique<NpzFile>(folder, settings));
  if (format == "h5") return of_tiles(std::make_unique<ShardFiles>(folder, settings));
  return std::make_unique<FileStore>(folder, settings.set.first,
                                     image_codec(format, static_cast<int>(settings.quality)));
}

std::filesystem::path images_path(const std::filesystem::path& folder, const std::string& format) {
  if (format == "safetensors") return folder / "images.safetensors";
  if (format == "npz") return folder / "images.npz";
  return format == "h5" ? folder / "dataset.json" : folder / "images";
}

}  // namespace effuse
