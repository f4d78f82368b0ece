#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "generation/class_plan.hpp"
#include "generation/tiles.hpp"
#include "image/image.hpp"

namespace effuse {

/// Where the tiles of a set go. Tiles may be written by several processes at once, each its own.
/// Every file is whole or absent.
class ImageStore {
 public:
  virtual ~ImageStore() = default;

  /// Readies what an earlier, smaller set left, and removes what writers of these tiles that were
  /// killed left behind, and a file of the set whose damage has() would not notice. By one process,
  /// while no other begins or finishes the set or writes these tiles.
  virtual void prepare(std::span<const Tile> tiles) = 0;

  /// Whether the wanted images of the tile are there and whole. A damaged one is named in the log.
  virtual bool has(const Tile& tile) const = 0;

  /// The same by the names of files alone.
  virtual bool seems_there(const Tile& tile) const = 0;

  /// images: fp32 [tile size, C, H, W] on the CPU, in [-1, 1] and around, from tile.first on.
  virtual void write(const Tile& tile, const at::Tensor& images) const = 0;

  /// By one process, when all tiles of the set are there. Throws DataError where one is not.
  virtual void finish(std::span<const Tile> tiles) = 0;

  /// After finish(): the first `count` images of the set as they would be seen.
  virtual std::vector<Image> first(std::int64_t count) const = 0;
};

/// What the images of a set become.
struct StoreSettings {
  std::string format = "png";
  std::int64_t quality = 95;
  IndexRange set;
  std::int64_t tile_size = 16;
  ClassPlan classes;
  std::vector<std::string> class_names;
  std::string source_sha256;  ///< h5: of what the images come from, for dataset.json
};

/// The store of sampling.format in a set's folder:
///   png, jpeg, webp  images/00000/00000000.png …, quantised to uint8 (to_uint8)
///   h5               dataset.json and shard-00000.h5 …: a packed data set (src/shards)
///   npz              images.npz: arr_0 uint8 [N, H, W, C], arr_1 int64 [N] for a conditional model
///   safetensors      images.safetensors: images fp32 [N, C, H, W], before quantisation
/// Reads a set that is there already, so that it can be continued.
std::unique_ptr<ImageStore> make_image_store(const std::filesystem::path& folder,
                                             const StoreSettings& settings);

/// What of a set's images lies in `folder` itself, by format: "images", "images.npz" …
std::filesystem::path images_path(const std::filesystem::path& folder, const std::string& format);

}  // namespace effuse
