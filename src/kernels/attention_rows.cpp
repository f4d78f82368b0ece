#include "kernels/attention_rows.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <limits>

namespace effuse {
namespace {

template <class T>
T* pointer_to(const HeadRows& rows) {
  const at::Tensor& tensor = rows.tensor;
  const std::int64_t heads = tensor.size(1);
  return static_cast<T*>(tensor.data_ptr()) + rows.head / heads * tensor.stride(0) +
         rows.head % heads * tensor.stride(1) + rows.first * tensor.stride(2);
}

template <int width, class T>
EFFUSE_INLINE inline void read_row(const T* row, std::int64_t size, float factor, float* out) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  if (size == width) {
    for (int d = 0; d < width; d += 8) {
      const Floats<8> x = load<8>(row + d) * factor;
      store<8>(out + d, x == x ? x : all_of<8>(kNan));
    }
    return;
  }
  for (std::int64_t d = 0; d < width; ++d) {
    const float x = d < size ? static_cast<float>(row[d]) * factor : 0.0F;
    out[d] = x == x ? x : kNan;
  }
}

template <int width, class T>
EFFUSE_INLINE inline void write_row(const float* in, float factor, std::int64_t size, T* row) {
  if (size == width) {
    for (int d = 0; d < width; d += 8) store<8>(row + d, load<8>(in + d) * factor);
    return;
  }
  for (std::int64_t d = 0; d < size; ++d) row[d] = static_cast<T>(in[d] * factor);
}

/// Calls run(pointer to the first row, Width<width>{}).
template <class Run>
void for_rows(const HeadRows& rows, const Run& run) {
  for_width_of(rows.tensor.size(3), [&](auto width) {
    switch (rows.tensor.scalar_type()) {
      case at::kFloat:
        return run(pointer_to<float>(rows), width);
      case at::kBFloat16:
        return run(pointer_to<c10::BFloat16>(rows), width);
      default:
        return run(pointer_to<c10::Half>(rows), width);
    }
  });
}

}  // namespace

void read_rows(const HeadRows& rows, std::int64_t padded, float factor, float* out) {
  for_rows(rows, [&](const auto* data, auto width) {
    const std::int64_t stride = rows.tensor.stride(2), size = rows.tensor.size(3);
    for_this_processor([=, count = rows.count](auto) EFFUSE_INLINE {
      for (std::int64_t i = 0; i < count; ++i) {
        read_row<width()>(data + i * stride, size, factor, out + i * width());
      }
    });
    std::fill(out + rows.count * width(), out + padded * width(), 0.0F);
  });
}

void write_rows(const float* in, float factor, const HeadRows& rows) {
  for_rows(rows, [&](auto* data, auto width) {
    const std::int64_t stride = rows.tensor.stride(2), size = rows.tensor.size(3);
    for_this_processor([=, count = rows.count](auto) EFFUSE_INLINE {
      for (std::int64_t i = 0; i < count; ++i) {
        write_row<width()>(in + i * width(), factor, size, data + i * stride);
      }
    });
  });
}

}  // namespace effuse
