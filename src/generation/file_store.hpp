#pragma once

#include <utility>

#include "generation/image_files.hpp"
#include "generation/image_store.hpp"

namespace effuse {

/// An image a file, a thousand to a folder.
class FileStore : public ImageStore {
 public:
  /// `first`: number of the set's first image.
  FileStore(std::filesystem::path folder, std::int64_t first, ImageCodec codec)
      : folder_(std::move(folder)), first_(first), codec_(std::move(codec)) {}

  void prepare(std::span<const Tile> tiles) override;
  bool has(const Tile& tile) const override;
  bool seems_there(const Tile& tile) const override;
  void write(const Tile& tile, const at::Tensor& images) const override;
  void finish(std::span<const Tile> tiles) override;
  std::vector<Image> first(std::int64_t count) const override;

 private:
  std::filesystem::path file(std::int64_t index) const {
    return image_file(folder_, index, codec_.extension);
  }

  std::filesystem::path folder_;
  std::int64_t first_;
  ImageCodec codec_;
};

}  // namespace effuse
