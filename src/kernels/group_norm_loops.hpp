#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace effuse {

/// What the loops of group normalisation compute on. There are two of each: by planes, where x and
/// all that is like it are contiguous, and by pixels, where they are channels_last.
struct GroupNormInputs {
  const at::Tensor& x;       ///< [N, C, …], fp32 or bf16
  const at::Tensor& weight;  ///< [C] or [N, C], fp32, contiguous
  const at::Tensor& bias;    ///< as weight
  std::int64_t groups;
  bool silu;  ///< whether SiLU follows
};

/// [N, groups], fp32.
struct GroupMoments {
  const at::Tensor& mean;
  const at::Tensor& inverse_deviation;  ///< 1 / sqrt(variance + eps)
};

/// Writes the moments and `out`, which is like x.
void forward_by_planes(const GroupNormInputs& inputs, double eps, const GroupMoments& moments,
                       const at::Tensor& out);
void forward_by_pixels(const GroupNormInputs& inputs, double eps, const GroupMoments& moments,
                       const at::Tensor& out);

struct GroupNormGradients {
  const at::Tensor& x;       ///< like x
  const at::Tensor& weight;  ///< [N, C], fp32
  const at::Tensor& bias;    ///< [N, C], fp32
};

/// Writes the gradients, given that of `out`, which is like x.
void backward_by_planes(const GroupNormInputs& inputs, const GroupMoments& moments,
                        const at::Tensor& grad_out, const GroupNormGradients& gradients);
void backward_by_pixels(const GroupNormInputs& inputs, const GroupMoments& moments,
                        const at::Tensor& grad_out, const GroupNormGradients& gradients);

}  // namespace effuse
