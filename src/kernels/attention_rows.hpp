#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "kernels/simd.hpp"

/// Between the rows of one head as tensors hold them, [L, D] of any float type and row stride, and
/// what attention's loops read: fp32, D padded with zeros to a width known when compiling, either
/// as rows [L, width] or, for vectors over w rows, as "lanes" [L / w, width, w].
namespace effuse {

/// Heads wider than this have no loops.
constexpr std::int64_t kWidestHead = 64;

/// Calls run(Width<width>{}) with the width that heads of `size` are padded to.
template <class Run>
void for_width_of(std::int64_t size, const Run& run) {
  if (size <= 8) return run(Width<8>{});
  if (size <= 16) return run(Width<16>{});
  if (size <= 32) return run(Width<32>{});
  return run(Width<64>{});
}

constexpr std::int64_t round_up(std::int64_t count, std::int64_t multiple) {
  return (count + multiple - 1) / multiple * multiple;
}

/// Some rows of one head of a [N, heads, L, D] tensor whose last stride is 1.
struct HeadRows {
  const at::Tensor& tensor;
  std::int64_t head;   ///< 0 … N * heads - 1
  std::int64_t first;  ///< row
  std::int64_t count;
};

/// Writes the rows times `factor`, then rows of zeros up to `padded`. Every NaN becomes the one
/// that exp2_of() keeps.
void read_rows(const HeadRows& rows, std::int64_t padded, float factor, float* out);

/// The other way.
void write_rows(const float* in, float factor, const HeadRows& rows);

/// [count, width] to [count / w, width, w]; `count` is a multiple of w.
template <int w, int width>
EFFUSE_INLINE inline void rows_to_lanes(const float* rows, std::int64_t count, float* lanes) {
  for (std::int64_t block = 0; block < count; block += w) {
    for (int d = 0; d < width; ++d) {
      for (int i = 0; i < w; ++i) lanes[block * width + d * w + i] = rows[(block + i) * width + d];
    }
  }
}

template <int w, int width>
EFFUSE_INLINE inline void lanes_to_rows(const float* lanes, std::int64_t count, float* rows) {
  for (std::int64_t block = 0; block < count; block += w) {
    for (int d = 0; d < width; ++d) {
      for (int i = 0; i < w; ++i) rows[(block + i) * width + d] = lanes[block * width + d * w + i];
    }
  }
}

}  // namespace effuse
