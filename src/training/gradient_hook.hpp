#pragma once

#include <ATen/core/Tensor.h>

#include <functional>

namespace effuse {

/// Called with a parameter when a backward pass has completed its gradient, in the thread of that
/// pass. It may take the gradient away: parameter.mutable_grad() = {}.
using GradientHook = std::function<void(const at::Tensor& parameter)>;

/// Replaces the hook of `parameter`, a leaf that requires gradients; nullptr removes it.
void set_gradient_hook(const at::Tensor& parameter, GradientHook hook);

}  // namespace effuse
