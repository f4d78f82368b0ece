#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace effuse {

/// What group_norm() applies to its result.
enum class AfterNorm {
  nothing,
  silu,  ///< z / (1 + exp(-z))
};

struct GroupNormArguments {
  at::Tensor weight, bias;  ///< [C], or [N, C] for each image its own; any float type
  std::int64_t groups = 1;  ///< of C / groups channels each
  double eps = 1e-5;
  AfterNorm then = AfterNorm::nothing;
};

/// Group normalisation (Wu & He 2018), (x - mean) / sqrt(variance + eps) * weight + bias with the
/// mean and the (biased) variance of each image's groups of channels, and the activation after it.
/// x: [N, C, …] of any float type; the result has its shape.
///
/// On CPUs, fp32 and bf16, contiguous or channels_last, go through kernels of ours: computed in
/// fp32, rounded once, to the type of x, also under autocast, where libtorch makes copies in fp32.
/// They keep x alone for the backward pass and are differentiable once (a second derivative throws
/// Error). Anything else is libtorch's. The result has x's layout and does not depend on the number
/// of threads. Throws Error where the sizes do not fit.
at::Tensor group_norm(const at::Tensor& x, const GroupNormArguments& arguments);

/// Whether group_norm() computes this with our kernels.
bool uses_own_group_norm(const at::Tensor& x);

}  // namespace effuse
