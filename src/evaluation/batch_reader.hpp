#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "evaluation/image_source.hpp"

namespace effuse {

/// Reads a source in batches, as RGB: a grey image among colours has to count as what it looks
/// like. All images have to have the size of the first, which is read once.
class BatchReader {
 public:
  /// `source` must outlive this. Throws DataError where its first image cannot be read.
  explicit BatchReader(const ImageSource& source);

  /// Images [first, first + wanted) as uint8 [batch, H, W, 3] on the CPU, the last one
  /// repeated where `batch` is more. Throws DataError where an image is not of the size of the
  /// source's first, naming both. As many threads as the source allows.
  at::Tensor read(std::int64_t first, std::int64_t wanted, std::int64_t batch) const;

 private:
  void require_size(const Image& image, std::int64_t index) const;

  const ImageSource& source_;
  int height_, width_;
};

}  // namespace effuse
