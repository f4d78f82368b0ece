#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace effuse {

/// One rank's share of one global batch, as its images were read. The tensors are on the CPU, or on
/// the device once they were sent there.
struct Batch {
  std::int64_t step = 0;                ///< number of the global batch, from 0
  std::vector<std::int64_t> positions;  ///< [n] images seen by the run before each of these
  std::vector<std::int64_t> indices;    ///< [n] image numbers in the data set
  at::Tensor images;                    ///< uint8 [n, H, W, C]
  at::Tensor labels;                    ///< int64 [n]
  at::Tensor mirrored;  ///< bool [n]: images to be mirrored left to right; undefined: none

  std::int64_t size() const { return static_cast<std::int64_t>(positions.size()); }
};

}  // namespace effuse
