#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>

#include "kernels/group_norm_loops.hpp"
#include "kernels/group_norm_parts.hpp"
#include "kernels/simd.hpp"

/// Contiguous: each channel is a plane of pixels. A thread takes one group at a time, which lies in
/// memory as one piece and, of usual sizes, stays in the second-level cache from pass to pass.
namespace effuse {
namespace {

/// Numbers that are summed up in fp32 before they are added in fp64.
constexpr std::int64_t kBlock = 4096;

/// To twice the widest vector.
constexpr std::int64_t padded(std::int64_t count) { return (count + 31) / 32 * 32; }

template <int w>
EFFUSE_INLINE inline float total(Floats<w> x) {
  float sum = 0.0F;
  for (int i = 0; i < w; ++i) sum += x[i];
  return sum;
}

/// Writes of(x), number by number.
template <int w, class T, class Of>
EFFUSE_INLINE inline void transform(const T* x, std::int64_t count, T* out, const Of& of) {
  const auto of_both = [&of](Two<w> v) EFFUSE_INLINE { return Two<w>{of(v.a), of(v.b)}; };
  std::int64_t i = 0;
  for (; i + 2 * w <= count; i += 2 * w) store_two<w>(out + i, of_both(load_two<w>(x + i)));
  if (i < count) store_some<w>(out + i, of_both(load_some<w>(x + i, count - i)), count - i);
}

/// The sum of of(x) over all numbers.
template <int w, class T, class Of>
EFFUSE_INLINE inline double sum(const T* x, std::int64_t count, const Of& of) {
  double result = 0.0;
  for (std::int64_t begin = 0; begin < count; begin += kBlock) {
    const std::int64_t end = std::min(begin + kBlock, count);
    Floats<w> a[2] = {}, b[2] = {};
    std::int64_t i = begin;
    for (; i + 4 * w <= end; i += 4 * w) {
      for (int j = 0; j < 2; ++j) {
        const Two<w> v = load_two<w>(x + i + j * 2 * w);
        a[j] += of(v.a);
        b[j] += of(v.b);
      }
    }
    float rest = total<w>((a[0] + b[0]) + (a[1] + b[1]));
    for (; i < end; ++i) rest += of(static_cast<float>(x[i]));
    result += static_cast<double>(rest);
  }
  return result;
}

struct Moments {
  float mean, inverse_deviation;
};

template <int w, class T>
EFFUSE_INLINE inline Moments moments_of(const T* x, std::int64_t count, double eps) {
  const float mean = static_cast<float>(sum<w>(x, count, [](auto v) EFFUSE_INLINE { return v; }) /
                                        static_cast<double>(count));
  const double squares = sum<w>(x, count, [mean](auto v) EFFUSE_INLINE {
    const auto difference = v - mean;
    return difference * difference;
  });
  return {mean, static_cast<float>(1.0 / std::sqrt(squares / static_cast<double>(count) + eps))};
}

/// One channel: weight * (x - mean) / deviation + bias = x * factor + offset.
template <int w, bool silu, class T>
EFFUSE_INLINE inline void normalise(const T* x, std::int64_t count, float factor, float offset,
                                    T* out) {
  transform<w>(x, count, out,
               [=](auto v) EFFUSE_INLINE { return activated<w, silu>(v * factor + offset); });
}

/// The gradients of one channel's weight and bias.
struct ChannelGradients {
  float weight, bias;
};

/// What one channel has in common.
struct Channel {
  float weight, bias;
  float scale, offset;  ///< normalised = x * scale + offset
};

template <int w>
struct Sums {
  Floats<w> weight = {}, bias = {};
};

/// Adds to the sums, and returns the gradients of what enters the activation.
template <int w, bool silu>
EFFUSE_INLINE inline Floats<w> pull_back(Floats<w> x, Floats<w> grad_out, const Channel& channel,
                                         Sums<w>& sums) {
  const Floats<w> normalised = x * channel.scale + channel.offset;
  const Floats<w> g =
      through_activation<w, silu>(normalised * channel.weight + channel.bias, grad_out);
  sums.weight += g * normalised;
  sums.bias += g;
  return g;
}

/// One channel's part of the gradients of the weights. `inner` gets the gradients of what enters
/// the activation, in the order of load_two().
template <int w, bool silu, class T>
EFFUSE_INLINE inline ChannelGradients pull_back(const T* x, const T* grad_out, std::int64_t count,
                                                const Channel& channel, float* inner) {
  Sums<w> sums;
  const auto both = [&](Two<w> v, Two<w> g) EFFUSE_INLINE {
    return Two<w>{pull_back<w, silu>(v.a, g.a, channel, sums),
                  pull_back<w, silu>(v.b, g.b, channel, sums)};
  };
  std::int64_t i = 0;
  for (; i + 2 * w <= count; i += 2 * w) {
    store_two<w>(inner + i, both(load_two<w>(x + i), load_two<w>(grad_out + i)));
  }
  if (i < count) {  // beyond the end, grad_out is zero
    store_two<w>(inner + i,
                 both(load_some<w>(x + i, count - i), load_some<w>(grad_out + i, count - i)));
  }
  return {total<w>(sums.weight), total<w>(sums.bias)};
}

/// x's gradient of one channel: inner * factor + x * slope + offset.
template <int w, class T>
EFFUSE_INLINE inline void push_to_input(const T* x, const float* inner, std::int64_t count,
                                        float factor, float slope, float offset, T* grad_x) {
  const auto gradient = [=](Two<w> v, Two<w> g) EFFUSE_INLINE {
    return Two<w>{g.a * factor + (v.a * slope + offset), g.b * factor + (v.b * slope + offset)};
  };
  std::int64_t i = 0;
  for (; i + 2 * w <= count; i += 2 * w) {
    store_two<w>(grad_x + i, gradient(load_two<w>(x + i), load_two<w>(inner + i)));
  }
  if (i < count) {
    store_some<w>(grad_x + i, gradient(load_some<w>(x + i, count - i), load_two<w>(inner + i)),
                  count - i);
  }
}

/// One group; pointers to its first numbers.
template <class T>
struct GroupBackward {
  const T* x;
  const T* grad_out;
  T* grad_x;
  const float *weight, *bias;
  float *grad_weight, *grad_bias;
  Moments moments;
};

template <int w, bool silu, class T>
EFFUSE_INLINE inline void backward_of(const GroupBackward<T>& group, const GroupNormShape& shape,
                                      float* inner) {
  double of_normalised = 0.0, of_alone = 0.0;
  const auto [mean, scale] = group.moments;
  for (std::int64_t c = 0; c < shape.in_group; ++c) {
    const std::int64_t at = c * shape.pixels;
    const Channel channel{group.weight[c], group.bias[c], scale, -mean * scale};
    const ChannelGradients sums = pull_back<w, silu>(
        group.x + at, group.grad_out + at, shape.pixels, channel, inner + c * padded(shape.pixels));
    group.grad_weight[c] = sums.weight;
    group.grad_bias[c] = sums.bias;
    of_normalised += static_cast<double>(group.weight[c]) * static_cast<double>(sums.weight);
    of_alone += static_cast<double>(group.weight[c]) * static_cast<double>(sums.bias);
  }
  const auto [slope, offset] = input_gradient(of_normalised, of_alone, shape, mean, scale);
  for (std::int64_t c = 0; c < shape.in_group; ++c) {
    const std::int64_t at = c * shape.pixels;
    push_to_input<w>(group.x + at, inner + c * padded(shape.pixels), shape.pixels,
                     group.weight[c] * scale, slope, offset, group.grad_x + at);
  }
}

template <class T, bool silu>
void forward(const GroupNormInputs& inputs, double eps, const GroupMoments& moments,
             const at::Tensor& out) {
  const GroupNormShape shape(inputs);
  const T* const x = inputs.x.const_data_ptr<T>();
  T* const y = out.mutable_data_ptr<T>();
  const float *const weight = inputs.weight.const_data_ptr<float>(),
                     *const bias = inputs.bias.const_data_ptr<float>();
  float* const means = moments.mean.mutable_data_ptr<float>();
  float* const scales = moments.inverse_deviation.mutable_data_ptr<float>();
  at::parallel_for(
      0, inputs.x.size(0) * shape.groups, 1, [&](std::int64_t begin, std::int64_t end) {
        for_this_processor([=](auto w) EFFUSE_INLINE {
          for (std::int64_t i = begin; i < end; ++i) {
            const Moments of_group = moments_of<w()>(x + i * shape.size(), shape.size(), eps);
            means[i] = of_group.mean;
            scales[i] = of_group.inverse_deviation;
            const std::int64_t first =
                i / shape.groups * shape.image_stride + i % shape.groups * shape.in_group;
            for (std::int64_t c = 0; c < shape.in_group; ++c) {
              const std::int64_t at = i * shape.size() + c * shape.pixels;
              const float factor = weight[first + c] * of_group.inverse_deviation;
              normalise<w(), silu>(x + at, shape.pixels, factor,
                                   bias[first + c] - of_group.mean * factor, y + at);
            }
          }
        });
      });
}

template <class T, bool silu>
void backward(const GroupNormInputs& inputs, const GroupMoments& moments,
              const at::Tensor& grad_out, const GroupNormGradients& gradients) {
  const GroupNormShape shape(inputs);
  const GroupBackward<T> all{inputs.x.const_data_ptr<T>(),
                             grad_out.const_data_ptr<T>(),
                             gradients.x.mutable_data_ptr<T>(),
                             inputs.weight.const_data_ptr<float>(),
                             inputs.bias.const_data_ptr<float>(),
                             gradients.weight.mutable_data_ptr<float>(),
                             gradients.bias.mutable_data_ptr<float>(),
                             {}};
  const float* const means = moments.mean.const_data_ptr<float>();
  const float* const scales = moments.inverse_deviation.const_data_ptr<float>();
  at::parallel_for(
      0, inputs.x.size(0) * shape.groups, 1, [&](std::int64_t begin, std::int64_t end) {
        const at::Tensor scratch = at::empty({shape.in_group * padded(shape.pixels)}, at::kFloat);
        for_this_processor([=, inner = scratch.mutable_data_ptr<float>()](auto w) EFFUSE_INLINE {
          for (std::int64_t i = begin; i < end; ++i) {
            const std::int64_t at = i * shape.size(), group = i % shape.groups * shape.in_group;
            const std::int64_t weights = i / shape.groups * shape.image_stride + group;
            const std::int64_t channel = i * shape.in_group;
            backward_of<w(), silu, T>({all.x + at,
                                       all.grad_out + at,
                                       all.grad_x + at,
                                       all.weight + weights,
                                       all.bias + weights,
                                       all.grad_weight + channel,
                                       all.grad_bias + channel,
                                       {means[i], scales[i]}},
                                      shape, inner);
          }
        });
      });
}

}  // namespace

void forward_by_planes(const GroupNormInputs& inputs, double eps, const GroupMoments& moments,
                       const at::Tensor& out) {
  for_kind_of(inputs, [&](auto number, auto silu) {
    forward<decltype(number), silu()>(inputs, eps, moments, out);
  });
}

void backward_by_planes(const GroupNormInputs& inputs, const GroupMoments& moments,
                        const at::Tensor& grad_out, const GroupNormGradients& gradients) {
  for_kind_of(inputs, [&](auto number, auto silu) {
    backward<decltype(number), silu()>(inputs, moments, grad_out, gradients);
  });
}

}  // namespace effuse
