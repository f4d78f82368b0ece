#pragma once

#include <torch/nn/modules/normalization.h>

#include "models/activation.hpp"
#include "models/network.hpp"

namespace effuse {

/// The layer, of x: [N, C, …], with the activation after it, if any; in one pass where there is a
/// kernel for it (kernels/group_norm) and `kernels` asks for no other.
at::Tensor normalise(const at::Tensor& x, const torch::nn::GroupNormImpl& norm,
                     Activation activation = nullptr, Kernels kernels = Kernels::fused);

/// activation(norm(x) * scale + shift); scale, shift: [N, C].
at::Tensor normalise_scaled(const at::Tensor& x, const torch::nn::GroupNormImpl& norm,
                            const at::Tensor& scale, const at::Tensor& shift,
                            Activation activation);

}  // namespace effuse
