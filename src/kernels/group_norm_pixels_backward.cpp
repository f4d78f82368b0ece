#include <ATen/ATen.h>

#include <algorithm>

#include "kernels/group_norm_loops.hpp"
#include "kernels/group_norm_parts.hpp"
#include "kernels/group_norm_pixels.hpp"
#include "kernels/simd.hpp"

namespace effuse {
namespace {

using namespace pixel_rows;

template <class T>
struct BackwardSpan {
  const T *x, *grad_out;
  T* grad_x;
  const float *weight, *bias;
  const float *means, *scales;  ///< of the image's groups
  float *grad_weight, *grad_bias;
};

/// Whether the gradients of what enters the activation stay in the place of the result from one
/// pass to the next: those of fp32 do, others would lose bits.
template <class T>
constexpr bool kInPlace = std::is_same_v<T, float>;

struct BackwardScratch {
  BackwardScratch(std::int64_t channels, std::int64_t pixels)
      : weight(channels),
        bias(channels),
        scale(channels),
        offset(channels),
        slope(channels),
        grad_weight(channels),
        grad_bias(channels),
        inner(at::empty({channels * pixels}, at::kFloat)) {}

  std::int64_t channels() const { return static_cast<std::int64_t>(weight.size()); }

  Numbers weight, bias, scale, offset, slope;
  Totals grad_weight, grad_bias;
  at::Tensor inner;  ///< [pixels, channels] gradients of what enters the activation
};

/// normalised = x * scale + offset
template <class T>
void set_normalisation(const BackwardSpan<T>& data, const Span& span, const GroupNormShape& shape,
                       BackwardScratch& scratch) {
  std::copy_n(data.weight, span.channels, scratch.weight.begin());
  std::copy_n(data.bias, span.channels, scratch.bias.begin());
  for_groups(span, shape, [&](std::int64_t first, std::int64_t group) {
    const float scale = data.scales[group];
    std::fill_n(scratch.scale.begin() + first, shape.in_group, scale);
    std::fill_n(scratch.offset.begin() + first, shape.in_group, -data.means[group] * scale);
  });
  std::fill(scratch.grad_weight.begin(), scratch.grad_weight.end(), 0.0);
  std::fill(scratch.grad_bias.begin(), scratch.grad_bias.end(), 0.0);
}

/// grad_x = inner * scale + x * slope + offset
template <class T>
void set_gradient(const BackwardSpan<T>& data, const Span& span, const GroupNormShape& shape,
                  BackwardScratch& scratch) {
  for_groups(span, shape, [&](std::int64_t first, std::int64_t group) {
    double of_normalised = 0.0, of_alone = 0.0;
    for (std::int64_t c = first; c < first + shape.in_group; ++c) {
      of_normalised += static_cast<double>(data.weight[c]) * scratch.grad_weight[c];
      of_alone += static_cast<double>(data.weight[c]) * scratch.grad_bias[c];
    }
    const InputGradient gradient =
        input_gradient(of_normalised, of_alone, shape, data.means[group], data.scales[group]);
    for (std::int64_t c = first; c < first + shape.in_group; ++c) {
      scratch.scale[c] = data.weight[c] * data.scales[group];
      scratch.slope[c] = gradient.slope;
      scratch.offset[c] = gradient.offset;
    }
  });
}

/// Where the gradients of what enters the activation stay from one pass to the next: fp32 in the
/// place of the result; otherwise in scratch.
template <int w, class T>
class Inner {
 public:
  Inner(const BackwardSpan<T>& data, const Chunk& chunk, BackwardScratch& scratch)
      : chunk_(chunk), stride_(kInPlace<T> ? chunk.stride : scratch.channels()) {
    if constexpr (kInPlace<T>) {
      first_ = data.grad_x + chunk.first;
    } else {
      first_ = scratch.inner.template mutable_data_ptr<float>() + chunk.first;
    }
  }

  EFFUSE_INLINE void store(std::int64_t pixel, Two<w> x) const {
    float* const to = first_ + pixel * stride_;
    kInPlace<T> ? store_pixel<w>(to, x, chunk_) : store_two<w>(to, x);
  }

  EFFUSE_INLINE Two<w> load(std::int64_t pixel) const {
    const float* const from = first_ + pixel * stride_;
    return kInPlace<T> ? load_pixel<w>(from, chunk_) : load_two<w>(from);
  }

 private:
  const Chunk chunk_;
  const std::int64_t stride_;
  float* first_;
};

/// Of one chunk: writes `inner`, and adds to the gradients of the weights.
template <int w, bool silu, class T>
EFFUSE_INLINE inline void pull_back(const BackwardSpan<T>& data, const Chunk& chunk,
                                    BackwardScratch& scratch) {
  const Inner<w, T> inner(data, chunk, scratch);
  const Two<w> weight = numbers_of<w>(chunk, scratch.weight),
               bias = numbers_of<w>(chunk, scratch.bias),
               scale = numbers_of<w>(chunk, scratch.scale),
               offset = numbers_of<w>(chunk, scratch.offset);
  Two<w> of_weight = {}, of_bias = {};
  for (std::int64_t i = chunk.begin; i < chunk.end; ++i) {
    const std::int64_t at = chunk.first + i * chunk.stride;
    const Two<w> x = load_pixel<w>(data.x + at, chunk),
                 grad_out = load_pixel<w>(data.grad_out + at, chunk);
    const Two<w> normalised{x.a * scale.a + offset.a, x.b * scale.b + offset.b};
    const Two<w> g{through_activation<w, silu>(normalised.a * weight.a + bias.a, grad_out.a),
                   through_activation<w, silu>(normalised.b * weight.b + bias.b, grad_out.b)};
    inner.store(i, g);
    of_weight = {of_weight.a + g.a * normalised.a, of_weight.b + g.b * normalised.b};
    of_bias = {of_bias.a + g.a, of_bias.b + g.b};
  }
  add_to<w>(chunk, of_weight, scratch.grad_weight);
  add_to<w>(chunk, of_bias, scratch.grad_bias);
}

template <int w, class T>
EFFUSE_INLINE inline void push_to_input(const BackwardSpan<T>& data, const Chunk& chunk,
                                        BackwardScratch& scratch) {
  const Inner<w, T> inner(data, chunk, scratch);
  const Two<w> scale = numbers_of<w>(chunk, scratch.scale),
               slope = numbers_of<w>(chunk, scratch.slope),
               offset = numbers_of<w>(chunk, scratch.offset);
  for (std::int64_t i = chunk.begin; i < chunk.end; ++i) {
    const std::int64_t at = chunk.first + i * chunk.stride;
    const Two<w> x = load_pixel<w>(data.x + at, chunk), g = inner.load(i);
    store_pixel<w>(data.grad_x + at,
                   Two<w>{g.a * scale.a + (x.a * slope.a + offset.a),
                          g.b * scale.b + (x.b * slope.b + offset.b)},
                   chunk);
  }
}

template <int w, bool silu, class T>
EFFUSE_INLINE inline void backward_of(const BackwardSpan<T>& data, const Span& span,
                                      const GroupNormShape& shape, BackwardScratch& scratch) {
  set_normalisation(data, span, shape, scratch);
  for (Numbers* x : {&scratch.weight, &scratch.bias, &scratch.scale, &scratch.offset}) {
    to_order<w, T>(*x);
  }
  for_chunks<w>(span, shape, [&](const Chunk& chunk) EFFUSE_INLINE {
    pull_back<w, silu>(data, chunk, scratch);
  });
  from_order<w, T>(scratch.grad_weight);
  from_order<w, T>(scratch.grad_bias);
  std::copy_n(scratch.grad_weight.begin(), span.channels, data.grad_weight);
  std::copy_n(scratch.grad_bias.begin(), span.channels, data.grad_bias);
  set_gradient(data, span, shape, scratch);
  for (Numbers* x : {&scratch.scale, &scratch.slope, &scratch.offset}) to_order<w, T>(*x);
  for_chunks<w>(span, shape,
                [&](const Chunk& chunk) EFFUSE_INLINE { push_to_input<w>(data, chunk, scratch); });
}

}  // namespace

void backward_by_pixels(const GroupNormInputs& inputs, const GroupMoments& moments,
                        const at::Tensor& grad_out, const GroupNormGradients& gradients) {
  const GroupNormShape shape(inputs);
  for_kind_of(inputs, [&](auto number, auto silu) {
    using T = decltype(number);
    const auto make_scratch = [&](std::int64_t channels) {
      return BackwardScratch(channels, kInPlace<T> ? 0 : shape.pixels);
    };
    for_spans(
        shape, inputs.x.size(0), make_scratch, [&](const Span& span, BackwardScratch& scratch) {
          const Offsets at(span, shape);
          const BackwardSpan<T> data{inputs.x.const_data_ptr<T>() + at.pixels,
                                     grad_out.const_data_ptr<T>() + at.pixels,
                                     gradients.x.mutable_data_ptr<T>() + at.pixels,
                                     inputs.weight.const_data_ptr<float>() + at.weights,
                                     inputs.bias.const_data_ptr<float>() + at.weights,
                                     moments.mean.const_data_ptr<float>() + at.groups,
                                     moments.inverse_deviation.const_data_ptr<float>() + at.groups,
                                     gradients.weight.mutable_data_ptr<float>() + at.channels,
                                     gradients.bias.mutable_data_ptr<float>() + at.channels};
          for_this_processor(
              [&](auto w) EFFUSE_INLINE { backward_of<w(), silu()>(data, span, shape, scratch); });
        });
  });
}

}  // namespace effuse
