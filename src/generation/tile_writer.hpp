#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <future>

#include "generation/image_store.hpp"

namespace effuse {

/// Encodes and writes a tile while its owner makes the next one.
class TileWriter {
 public:
  /// `written` is called after each tile, from a thread.
  TileWriter(const ImageStore& store, std::function<void(const Tile&)> written);

  /// Returns once the tile before is written. Throws what that failed with.
  void write(const Tile& tile, const at::Tensor& images);

  /// Returns once everything is written. Throws what that failed with.
  void finish();

 private:
  const ImageStore& store_;
  std::function<void(const Tile&)> written_;
  std::future<void> last_;  ///< last: its end is waited for before the others go
};

}  // namespace effuse
