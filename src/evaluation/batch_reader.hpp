#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>

#include "evaluation/image_source.hpp"

namespace effuse {

/// Reads a source in batches. All images have to have the size of its first, which is read once.
class BatchReader {
 public:
  /// `channels` of the batches: 1 or 3; nothing: those of the first image. `source` must outlive
  /// this. Throws DataError where its first image cannot be read.
  explicit BatchReader(const ImageSource& source, std::optional<int> channels = std::nullopt);

  int channels() const { return channels_; }

  /// Images [first, first + wanted) as uint8 [batch, H, W, channels] on the CPU, the last one
  /// repeated where `batch` is more. Throws DataError where an image is not of the size of the
  /// source's first, naming both. As many threads as the source allows.
  at::Tensor read(std::int64_t first, std::int64_t wanted, std::int64_t batch) const;

 private:
  void require_size(const Image& image, std::int64_t index) const;

  const ImageSource& source_;
  int height_, width_, channels_;
};

}  // namespace effuse
