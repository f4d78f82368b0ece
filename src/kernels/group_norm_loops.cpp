#include "kernels/group_norm_loops.hpp"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>

#include "kernels/simd.hpp"

/// A thread takes one group at a time, which lies in memory as one piece and, of usual sizes, stays
/// in the second-level cache from pass to pass.
namespace effuse {
namespace {

/// Numbers that are summed up in fp32 before they are added in fp64.
constexpr std::int64_t kBlock = 4096;

struct Shape {
  Shape(const GroupNormInputs& inputs)
      : channels(inputs.x.size(1)),
        pixels(inputs.x.numel() / (inputs.x.size(0) * channels)),
        groups(inputs.groups),
        in_group(channels / groups),
        image_stride(inputs.weight.dim() == 2 ? channels : 0) {}

  std::int64_t size() const { return in_group * pixels; }          ///< of a group
  std::int64_t padded() const { return (pixels + 31) / 32 * 32; }  ///< to twice the widest vector

  std::int64_t channels, pixels, groups;
  std::int64_t in_group;      ///< channels
  std::int64_t image_stride;  ///< of the weights; 0: all images have the same
};

/// The first `count` of 2 w numbers; the others are zero.
template <int w, class T>
EFFUSE_INLINE inline Two<w> load_some(const T* from, std::int64_t count) {
  T padded[2 * w] = {};
  std::copy_n(from, count, padded);
  return load_two<w>(padded);
}

template <int w, class T>
EFFUSE_INLINE inline void store_some(T* to, Two<w> x, std::int64_t count) {
  T padded[2 * w];
  store_two<w>(padded, x);
  std::copy_n(padded, count, to);
}

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

/// 1 / (1 + exp(-z)), of z below -87 that of -87.
template <int w>
EFFUSE_INLINE inline Floats<w> sigmoid(Floats<w> z) {
  constexpr Floats<w> kLeast = Floats<w>{} - 87.0F;
  z = kLeast > z ? kLeast : z;  // NaN stays
  return 1.0F / (1.0F + exp2_of<w>(z * -1.4426950408889634F));
}

template <int w>
EFFUSE_INLINE inline Floats<w> silu_slope(Floats<w> z) {
  const Floats<w> s = sigmoid<w>(z);
  return s * (1.0F + z * (1.0F - s));
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
  transform<w>(x, count, out, [=](auto v) EFFUSE_INLINE {
    const auto z = v * factor + offset;
    if constexpr (silu) {
      return z * sigmoid<w>(z);
    } else {
      return z;
    }
  });
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

/// The gradient of what enters SiLU.
template <int w, bool silu>
EFFUSE_INLINE inline Floats<w> inner_gradient(Floats<w> normalised, Floats<w> grad_out,
                                              const Channel& channel) {
  if constexpr (!silu) return grad_out;
  return grad_out * silu_slope<w>(normalised * channel.weight + channel.bias);
}

template <int w>
struct Sums {
  Floats<w> weight = {}, bias = {};
};

/// Adds to the sums, and returns the gradients of what enters SiLU.
template <int w, bool silu>
EFFUSE_INLINE inline Two<w> pull_back_two(Two<w> x, Two<w> grad_out, const Channel& channel,
                                          Sums<w>& sums) {
  const Two<w> normalised{x.a * channel.scale + channel.offset,
                          x.b * channel.scale + channel.offset};
  const Two<w> g{inner_gradient<w, silu>(normalised.a, grad_out.a, channel),
                 inner_gradient<w, silu>(normalised.b, grad_out.b, channel)};
  sums.weight += g.a * normalised.a + g.b * normalised.b;
  sums.bias += g.a + g.b;
  return g;
}

/// One channel's part of the gradients of the weights. `inner` gets the gradients of what enters
/// SiLU, in the order of load_two().
template <int w, bool silu, class T>
EFFUSE_INLINE inline ChannelGradients pull_back(const T* x, const T* grad_out, std::int64_t count,
                                                const Channel& channel, float* inner) {
  Sums<w> sums;
  std::int64_t i = 0;
  for (; i + 2 * w <= count; i += 2 * w) {
    store_two<w>(inner + i, pull_back_two<w, silu>(load_two<w>(x + i), load_two<w>(grad_out + i),
                                                   channel, sums));
  }
  if (i < count) {  // beyond the end, grad_out is zero
    const std::int64_t rest = count - i;
    store_two<w>(inner + i,
                 pull_back_two<w, silu>(load_some<w>(x + i, rest), load_some<w>(grad_out + i, rest),
                                        channel, sums));
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
EFFUSE_INLINE inline void backward_of(const GroupBackward<T>& group, const Shape& shape,
                                      float* inner) {
  double of_normalised = 0.0, of_alone = 0.0;
  const auto [mean, scale] = group.moments;
  for (std::int64_t c = 0; c < shape.in_group; ++c) {
    const std::int64_t at = c * shape.pixels;
    const Channel channel{group.weight[c], group.bias[c], scale, -mean * scale};
    const ChannelGradients sums = pull_back<w, silu>(
        group.x + at, group.grad_out + at, shape.pixels, channel, inner + c * shape.padded());
    group.grad_weight[c] = sums.weight;
    group.grad_bias[c] = sums.bias;
    of_normalised += static_cast<double>(group.weight[c]) * static_cast<double>(sums.weight);
    of_alone += static_cast<double>(group.weight[c]) * static_cast<double>(sums.bias);
  }
  const auto count = static_cast<double>(shape.size());
  const float slope = static_cast<float>(-of_normalised / count) * scale * scale;
  const float offset = static_cast<float>(-of_alone / count) * scale - mean * slope;
  for (std::int64_t c = 0; c < shape.in_group; ++c) {
    const std::int64_t at = c * shape.pixels;
    push_to_input<w>(group.x + at, inner + c * shape.padded(), shape.pixels,
                     group.weight[c] * scale, slope, offset, group.grad_x + at);
  }
}

template <class T, bool silu>
void forward(const GroupNormInputs& inputs, double eps, const GroupMoments& moments,
             const at::Tensor& out) {
  const Shape shape(inputs);
  const T* const x = inputs.x.const_data_ptr<T>();
  T* const y = out.mutable_data_ptr<T>();
  const float *const weight = inputs.weight.const_data_ptr<float>(),
                     *const bias = inputs.bias.const_data_ptr<float>();
  float *const means = moments.mean.mutable_data_ptr<float>(), *const scales =
                                                                   moments.inverse_deviation
                                                                       .mutable_data_ptr<float>();
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
  const Shape shape(inputs);
  const GroupBackward<T> all{inputs.x.const_data_ptr<T>(),
                             grad_out.const_data_ptr<T>(),
                             gradients.x.mutable_data_ptr<T>(),
                             inputs.weight.const_data_ptr<float>(),
                             inputs.bias.const_data_ptr<float>(),
                             gradients.weight.mutable_data_ptr<float>(),
                             gradients.bias.mutable_data_ptr<float>(),
                             {}};
  const float *const means = moments.mean.const_data_ptr<float>(), *const scales =
                                                                       moments.inverse_deviation
                                                                           .const_data_ptr<float>();
  at::parallel_for(
      0, inputs.x.size(0) * shape.groups, 1, [&](std::int64_t begin, std::int64_t end) {
        const at::Tensor scratch = at::empty({shape.in_group * shape.padded()}, at::kFloat);
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

/// Calls run(a number of x's type, whether SiLU follows as std::bool_constant).
template <class Run>
void for_kind(const GroupNormInputs& inputs, const Run& run) {
  const auto of_type = [&](auto number) {
    inputs.silu ? run(number, std::true_type{}) : run(number, std::false_type{});
  };
  inputs.x.scalar_type() == at::kFloat ? of_type(float{}) : of_type(c10::BFloat16{});
}

}  // namespace

void group_norm_forward(const GroupNormInputs& inputs, double eps, const GroupMoments& moments,
                        const at::Tensor& out) {
  for_kind(inputs, [&](auto number, auto silu) {
    forward<decltype(number), silu()>(inputs, eps, moments, out);
  });
}

void group_norm_backward(const GroupNormInputs& inputs, const GroupMoments& moments,
                         const at::Tensor& grad_out, const GroupNormGradients& gradients) {
  for_kind(inputs, [&](auto number, auto silu) {
    backward<decltype(number), silu()>(inputs, moments, grad_out, gradients);
  });
}

}  // namespace effuse
