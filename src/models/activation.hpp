#pragma once

#include <ATen/core/Tensor.h>

#include <string_view>

namespace effuse {

using Activation = at::Tensor (*)(const at::Tensor&);

/// x / (1 + exp(-x)): "silu" and "swish" everywhere, which kernels may join with what is before it.
at::Tensor silu(const at::Tensor& x);

/// The activation that diffusers knows by this name: silu (also swish), mish, gelu (exact), relu.
/// Throws ConfigError naming model.act_fn for another.
Activation diffusers_activation(std::string_view name);

/// The activations of one IDDM network by place. They differ for "iddm_lrelu" alone.
struct IddmActivation {
  Activation layer = nullptr;           ///< between layers
  Activation after_residual = nullptr;  ///< of the sum that ends a residual pair of convolutions
};

/// The activation that IDDM's networks know by this name: gelu (exact), silu, relu, relu6, lrelu
/// (leaky ReLU of slope 0.01). "iddm_lrelu" is what IDDM computes under the name lrelu, for weights
/// trained with it: SiLU between layers, the leaky ReLU after residual sums. Throws ConfigError
/// naming model.act_fn for another.
IddmActivation iddm_activation(std::string_view name);

}  // namespace effuse
