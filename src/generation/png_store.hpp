#pragma once

#include <utility>

#include "generation/image_store.hpp"

namespace effuse {

/// A PNG an image, a thousand to a folder.
class PngStore : public ImageStore {
 public:
  explicit PngStore(std::filesystem::path folder) : folder_(std::move(folder)) {}

  bool has(const Tile& tile) const override;
  void write(const Tile& tile, const at::Tensor& images) const override;
  void finish(std::int64_t, std::int64_t) const override {}
  std::vector<Image> first(std::int64_t images) const override;

 private:
  std::filesystem::path folder_;
};

}  // namespace effuse
