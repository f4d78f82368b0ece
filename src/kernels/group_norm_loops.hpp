#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace effuse {

/// What the loops of group normalisation compute on; all contiguous.
struct GroupNormInputs {
  const at::Tensor& x;       ///< [N, C, …], fp32 or bf16
  const at::Tensor& weight;  ///< [C] or [N, C], fp32
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
void group_norm_forward(const GroupNormInputs& inputs, double eps, const GroupMoments& moments,
                        const at::Tensor& out);

struct GroupNormGradients {
  const at::Tensor& x;       ///< like x
  const at::Tensor& weight;  ///< [N, C], fp32
  const at::Tensor& bias;    ///< [N, C], fp32
};

/// Writes the gradients, given that of `out`, of x's type.
void group_norm_backward(const GroupNormInputs& inputs, const GroupMoments& moments,
                         const at::Tensor& grad_out, const GroupNormGradients& gradients);

}  // namespace effuse
