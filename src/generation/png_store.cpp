#include "generation/png_store.hpp"

#include <span>

#include "core/files.hpp"
#include "diffusion/quantise.hpp"
#include "generation/image_files.hpp"
#include "image/decode.hpp"

namespace effuse {

bool PngStore::has(const Tile& tile) const {
  for (std::int64_t i = 0; i < tile.wanted; ++i) {
    if (!has_whole_image(folder_, tile.first + i)) return false;
  }
  return true;
}

void PngStore::write(const Tile& tile, const at::Tensor& images) const {
  const at::Tensor pixels = to_uint8(images);
  for (std::int64_t i = 0; i < tile.wanted; ++i) {
    write_image(folder_, tile.first + i, image_at(pixels, i));
  }
}

std::vector<Image> PngStore::first(std::int64_t images) const {
  std::vector<Image> result;
  for (std::int64_t i = 0; i < images; ++i) {
    const std::string bytes = read_file(image_file(folder_, i));
    result.push_back(decode_image(std::as_bytes(std::span(bytes))));
  }
  return result;
}

}  // namespace effuse
