#pragma once

#include "generation/image_store.hpp"

namespace effuse {

/// Floats before quantisation: tiles/00000000.safetensors … while the set is made, then
/// images.safetensors in their place.
class FloatStore : public ImageStore {
 public:
  /// Reads a set that is there already, so that it can be continued.
  explicit FloatStore(std::filesystem::path folder);

  bool has(const Tile& tile) const override;
  void write(const Tile& tile, const at::Tensor& images) const override;
  void finish(std::int64_t images, std::int64_t tile_size) const override;
  std::vector<Image> first(std::int64_t images) const override;

 private:
  std::filesystem::path tile_file(std::int64_t number) const;
  std::filesystem::path set_file() const { return folder_ / "images.safetensors"; }

  /// [wanted, C, H, W] of a tile that was made before, undefined where there is none.
  at::Tensor find(const Tile& tile) const;

  std::filesystem::path folder_;
  at::Tensor before_;  ///< images.safetensors as it was found; undefined without
};

}  // namespace effuse
