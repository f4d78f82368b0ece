#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace effuse {

/// One rank's share of one global batch, on the CPU.
struct Batch {
  std::int64_t step = 0;                ///< number of the global batch, from 0
  std::vector<std::int64_t> positions;  ///< [n] images seen by the run before each of these
  std::vector<std::int64_t> indices;    ///< [n] image numbers in the data set
  at::Tensor images;                    ///< uint8 [n, H, W, C]
  at::Tensor labels;                    ///< int64 [n]

  std::int64_t size() const { return static_cast<std::int64_t>(positions.size()); }
};

}  // namespace effuse
