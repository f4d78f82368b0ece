#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <type_traits>

#include "kernels/group_norm_loops.hpp"
#include "kernels/simd.hpp"

/// What the loops of group normalisation have in common, however channels lie in memory.
namespace effuse {

struct GroupNormShape {
  explicit GroupNormShape(const GroupNormInputs& inputs)
      : channels(inputs.x.size(1)),
        pixels(inputs.x.numel() / (inputs.x.size(0) * channels)),
        groups(inputs.groups),
        in_group(channels / groups),
        image_stride(inputs.weight.dim() == 2 ? channels : 0) {}

  std::int64_t size() const { return in_group * pixels; }  ///< of a group

  std::int64_t channels, pixels, groups;
  std::int64_t in_group;      ///< channels
  std::int64_t image_stride;  ///< of the weights; 0: all images have the same
};

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

/// The activation, or nothing.
template <int w, bool silu>
EFFUSE_INLINE inline Floats<w> activated(Floats<w> z) {
  if constexpr (silu) return z * sigmoid<w>(z);
  return z;
}

/// The gradient of what enters the activation, given that of its result.
template <int w, bool silu>
EFFUSE_INLINE inline Floats<w> through_activation(Floats<w> z, Floats<w> grad_out) {
  if constexpr (silu) return grad_out * silu_slope<w>(z);
  return grad_out;
}

/// A group's part of x's gradient: inner * weight / deviation + x * slope + offset, where `inner`
/// is the gradient of what enters the activation.
struct InputGradient {
  float slope, offset;
};

/// Of a group, given the sums of weight * inner, with the normalised pixels and alone.
inline InputGradient input_gradient(double of_normalised, double of_alone,
                                    const GroupNormShape& shape, float mean,
                                    float inverse_deviation) {
  const auto count = static_cast<double>(shape.size());
  const float slope =
      static_cast<float>(-of_normalised / count) * inverse_deviation * inverse_deviation;
  return {slope, static_cast<float>(-of_alone / count) * inverse_deviation - mean * slope};
}

/// Calls run(a number of x's type, whether SiLU follows as std::bool_constant).
template <class Run>
void for_kind_of(const GroupNormInputs& inputs, const Run& run) {
  const auto of_type = [&](auto number) {
    inputs.silu ? run(number, std::true_type{}) : run(number, std::false_type{});
  };
  inputs.x.scalar_type() == at::kFloat ? of_type(float{}) : of_type(c10::BFloat16{});
}

}  // namespace effuse
