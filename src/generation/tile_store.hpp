#pragma once

#include <memory>

#include "generation/image_store.hpp"
#include "generation/set_file.hpp"

namespace effuse {

/// tiles/00000000.safetensors …, a tile's wanted images each, while the set is made; then a SetFile
/// in their place. A set that grows is taken apart into tiles again.
class TileStore : public ImageStore {
 public:
  TileStore(std::filesystem::path folder, const IndexRange& set, std::int64_t tile_size,
            std::unique_ptr<SetFile> file);

  void prepare(std::span<const Tile> tiles) override;
  bool has(const Tile& tile) const override;
  bool seems_there(const Tile& tile) const override;
  void write(const Tile& tile, const at::Tensor& images) const override;
  void finish(std::span<const Tile> tiles) override;
  std::vector<Image> first(std::int64_t count) const override;

 private:
  std::filesystem::path tile_file(std::int64_t number) const;

  /// Makes tiles of the set's file and removes it: nothing of the set is lost at any time.
  void take_apart();

  void write_file(std::span<const Tile> tiles) const;

  /// Whether the tile's wanted images are within what the set's file was found to hold.
  bool is_in_file(const Tile& tile) const { return tile.wanted.end <= set_.first + found_; }

  /// The tile's wanted images in the set's file; undefined where they are damaged.
  at::Tensor in_file(const Tile& tile) const;

  /// The wanted images as they are kept; undefined where they are not there, or damaged.
  at::Tensor find(const Tile& tile) const;

  std::filesystem::path folder_;
  IndexRange set_;
  std::int64_t tile_size_;
  std::unique_ptr<SetFile> file_;
  std::int64_t found_;  ///< images in the set's file
};

}  // namespace effuse
