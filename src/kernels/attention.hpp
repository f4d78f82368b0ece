#pragma once

#include <ATen/core/Tensor.h>

#include <optional>

namespace effuse {

/// softmax(q · kᵀ · scale) · v, as at::scaled_dot_product_attention computes it, with `scale` = 1 /
/// sqrt(D) by default. q, k, v: [N, heads, L, D] of one type, in any strides; so is the result,
/// whose memory is that of a [N, L, heads, D].
///
/// On CPUs, small heads go through kernels of our own, several times as fast as libtorch's (see
/// uses_own_attention()); anything else goes to libtorch. In both, the [L, L] weights are never
/// held. Differentiable once: a second derivative throws Error. The result does not depend on the
/// number of threads.
at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                     std::optional<double> scale = {});

/// Whether attention() computes these with our kernels.
bool uses_own_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v);

}  // namespace effuse
