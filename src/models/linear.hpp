#pragma once

#include <ATen/ATen.h>
#include <torch/nn/modules/linear.h>

namespace effuse {

/// The layer in one pass, as Python's nn.Linear computes it. The forward() of the C++ layer
/// multiplies and then adds the bias where x has more than two dimensions, which costs a pass and
/// rounds differently.
inline at::Tensor linear(const at::Tensor& x, const torch::nn::LinearImpl& layer) {
  return at::linear(x, layer.weight, layer.bias);
}

}  // namespace effuse
