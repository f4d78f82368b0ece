#pragma once

#include <ATen/core/Tensor.h>

#include <string_view>

namespace effuse {

using Activation = at::Tensor (*)(const at::Tensor&);

/// The activation that diffusers knows by this name: silu (also swish), mish, gelu (exact), relu.
/// Throws ConfigError naming model.act_fn for another.
Activation activation_named(std::string_view name);

}  // namespace effuse
