#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "generation/tiles.hpp"
#include "image/image.hpp"

namespace effuse {

/// Where the tiles of a set go. Tiles may be written by several processes at once, each its own.
class ImageStore {
 public:
  virtual ~ImageStore() = default;

  /// Whether the wanted images of the tile are there and whole.
  virtual bool has(const Tile& tile) const = 0;

  /// images: fp32 [tile size, C, H, W] on the CPU, in [-1, 1] and around. Every file is whole or
  /// absent.
  virtual void write(const Tile& tile, const at::Tensor& images) const = 0;

  /// Called once, by one process, when all tiles of the set of `images` images are there.
  virtual void finish(std::int64_t images, std::int64_t tile_size) const = 0;

  /// After finish(): the first `images` images as they would be seen.
  virtual std::vector<Image> first(std::int64_t images) const = 0;
};

/// The store of sampling.format in a set's folder:
///   png          images/00000/00000000.png …, quantised to uint8 (to_uint8)
///   safetensors  images.safetensors with `images` fp32 [N, C, H, W], before quantisation
std::unique_ptr<ImageStore> make_image_store(const std::string& format,
                                             const std::filesystem::path& folder);

}  // namespace effuse
