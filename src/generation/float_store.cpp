#include "generation/float_store.hpp"

#include <ATen/ATen.h>

#include <utility>

#include "checkpoint/safetensors.hpp"
#include "core/error.hpp"
#include "core/log.hpp"
#include "core/zero_padded.hpp"
#include "diffusion/quantise.hpp"
#include "generation/image_files.hpp"

namespace effuse {
namespace {

/// The images of a file; undefined where it is absent or damaged, which is said.
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

/// Whole or not at all.
void write_images(const std::filesystem::path& file, const at::Tensor& images) {
  std::filesystem::create_directories(file.parent_path());
  const std::filesystem::path temporary = file.parent_path() / ("." + file.filename().string());
  const FileOperations operations;
  write_safetensors(temporary, {{"images", images}}, {}, operations);
  operations.rename(temporary, file);
  operations.sync(file.parent_path());
}

}  // namespace

std::filesystem::path FloatStore::tile_file(std::int64_t number) const {
  return folder_ / "tiles" / (zero_padded(number, 8) + ".safetensors");
}

FloatStore::FloatStore(std::filesystem::path folder)
    : folder_(std::move(folder)), before_(images_in(set_file())) {}

at::Tensor FloatStore::find(const Tile& tile) const {
  const at::Tensor own = images_in(tile_file(tile.number));
  if (own.defined() && own.size(0) >= tile.wanted) return own.narrow(0, 0, tile.wanted);
  if (!before_.defined() || before_.size(0) < tile.first + tile.wanted) return {};
  return before_.narrow(0, tile.first, tile.wanted);
}

bool FloatStore::has(const Tile& tile) const { return find(tile).defined(); }

void FloatStore::write(const Tile& tile, const at::Tensor& images) const {
  write_images(tile_file(tile.number), images);
}

void FloatStore::finish(std::int64_t images, std::int64_t tile_size) const {
  if (!std::filesystem::exists(folder_ / "tiles")) return;  // nothing was added
  std::vector<at::Tensor> parts;
  for (const Tile& tile : tiles_of_rank(images, tile_size, 0, 1)) {
    parts.push_back(find(tile));
    if (parts.back().defined()) continue;
    throw DataError(tile_file(tile.number).string() +
                    " is missing (was it removed meanwhile?). The same command makes it again.");
  }
  write_images(set_file(), at::cat(parts));
  std::filesystem::remove_all(folder_ / "tiles");
}

std::vector<Image> FloatStore::first(std::int64_t images) const {
  const at::Tensor pixels = to_uint8(images_in(set_file()).narrow(0, 0, images));
  std::vector<Image> result;
  for (std::int64_t i = 0; i < images; ++i) result.push_back(image_at(pixels, i));
  return result;
}

}  // namespace effuse
