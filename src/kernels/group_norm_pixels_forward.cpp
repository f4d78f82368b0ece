#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "kernels/group_norm_loops.hpp"
#include "kernels/group_norm_parts.hpp"
#include "kernels/group_norm_pixels.hpp"
#include "kernels/simd.hpp"

namespace effuse {
namespace {

using namespace pixel_rows;

/// Pointers to the first channel of one image's span.
template <class T>
struct ForwardSpan {
  const T* x;
  T* out;
  const float *weight, *bias;
  float *means, *scales;  ///< of the image's groups
  double eps;
};

struct ForwardScratch {
  explicit ForwardScratch(std::int64_t channels)
      : totals(channels), mean(channels), factor(channels), offset(channels) {}

  Totals totals;
  Numbers mean, factor, offset;
};

/// The mean over a group's channels and pixels.
double mean_of(const Totals& totals, std::int64_t first, const GroupNormShape& shape) {
  double sum = 0.0;
  for (std::int64_t c = first; c < first + shape.in_group; ++c) sum += totals[c];
  return sum / static_cast<double>(shape.size());
}

template <class T>
void set_means(const ForwardSpan<T>& data, const Span& span, const GroupNormShape& shape,
               ForwardScratch& scratch) {
  for_groups(span, shape, [&](std::int64_t first, std::int64_t group) {
    data.means[group] = static_cast<float>(mean_of(scratch.totals, first, shape));
    std::fill_n(scratch.mean.begin() + first, shape.in_group, data.means[group]);
  });
}

template <class T>
void set_factors(const ForwardSpan<T>& data, const Span& span, const GroupNormShape& shape,
                 ForwardScratch& scratch) {
  for_groups(span, shape, [&](std::int64_t first, std::int64_t group) {
    const double variance = mean_of(scratch.totals, first, shape);
    data.scales[group] = static_cast<float>(1.0 / std::sqrt(variance + data.eps));
    for (std::int64_t c = first; c < first + shape.in_group; ++c) {
      scratch.factor[c] = data.weight[c] * data.scales[group];
      scratch.offset[c] = data.bias[c] - data.means[group] * scratch.factor[c];
    }
  });
}

template <int w, bool silu, class T>
EFFUSE_INLINE inline void forward_of(const ForwardSpan<T>& data, const Span& span,
                                     const GroupNormShape& shape, ForwardScratch& scratch) {
  std::fill(scratch.totals.begin(), scratch.totals.end(), 0.0);
  for_chunks<w>(span, shape, [&](const Chunk& chunk) EFFUSE_INLINE {
    add_up<w>(data.x, chunk, scratch.totals, [](Two<w> v) EFFUSE_INLINE { return v; });
  });
  from_order<w, T>(scratch.totals);
  set_means(data, span, shape, scratch);
  to_order<w, T>(scratch.mean);
  std::fill(scratch.totals.begin(), scratch.totals.end(), 0.0);
  for_chunks<w>(span, shape, [&](const Chunk& chunk) EFFUSE_INLINE {
    const Two<w> mean = numbers_of<w>(chunk, scratch.mean);
    add_up<w>(data.x, chunk, scratch.totals, [mean](Two<w> v) EFFUSE_INLINE {
      const Two<w> d{v.a - mean.a, v.b - mean.b};
      return Two<w>{d.a * d.a, d.b * d.b};
    });
  });
  from_order<w, T>(scratch.totals);
  set_factors(data, span, shape, scratch);
  to_order<w, T>(scratch.factor);
  to_order<w, T>(scratch.offset);
  for_chunks<w>(span, shape, [&](const Chunk& chunk) EFFUSE_INLINE {
    const Two<w> factor = numbers_of<w>(chunk, scratch.factor),
                 offset = numbers_of<w>(chunk, scratch.offset);
    for (std::int64_t i = chunk.begin; i < chunk.end; ++i) {
      const std::int64_t at = chunk.first + i * chunk.stride;
      const Two<w> v = load_pixel<w>(data.x + at, chunk);
      store_pixel<w>(data.out + at,
                     Two<w>{activated<w, silu>(v.a * factor.a + offset.a),
                            activated<w, silu>(v.b * factor.b + offset.b)},
                     chunk);
    }
  });
}

}  // namespace

void forward_by_pixels(const GroupNormInputs& inputs, double eps, const GroupMoments& moments,
                       const at::Tensor& out) {
  const GroupNormShape shape(inputs);
  for_kind_of(inputs, [&](auto number, auto silu) {
    using T = decltype(number);
    const auto make_scratch = [](std::int64_t channels) { return ForwardScratch(channels); };
    for_spans(
        shape, inputs.x.size(0), make_scratch, [&](const Span& span, ForwardScratch& scratch) {
          const Offsets at(span, shape);
          const ForwardSpan<T> data{inputs.x.const_data_ptr<T>() + at.pixels,
                                    out.mutable_data_ptr<T>() + at.pixels,
                                    inputs.weight.const_data_ptr<float>() + at.weights,
                                    inputs.bias.const_data_ptr<float>() + at.weights,
                                    moments.mean.mutable_data_ptr<float>() + at.groups,
                                    moments.inverse_deviation.mutable_data_ptr<float>() + at.groups,
                                    eps};
          for_this_processor(
              [&](auto w) EFFUSE_INLINE { forward_of<w(), silu()>(data, span, shape, scratch); });
        });
  });
}

}  // namespace effuse
