#include "models/norm.hpp"

#include <ATen/ATen.h>

#include "kernels/group_norm.hpp"

namespace effuse {
namespace {

at::Tensor normalise_with(const at::Tensor& x, const torch::nn::GroupNormImpl& norm,
                          const at::Tensor& weight, const at::Tensor& bias, Activation activation) {
  const AfterNorm then = activation == &silu ? AfterNorm::silu : AfterNorm::nothing;
  const at::Tensor y =
      group_norm(x, {weight, bias, norm.options.num_groups(), norm.options.eps(), then});
  return activation == nullptr || then == AfterNorm::silu ? y : activation(y);
}

}  // namespace

at::Tensor normalise(const at::Tensor& x, const torch::nn::GroupNormImpl& norm,
                     Activation activation, Kernels kernels) {
  if (kernels == Kernels::iddm) {
    const at::Tensor y =
        at::group_norm(x, norm.options.num_groups(), norm.weight, norm.bias, norm.options.eps());
    return activation == nullptr ? y : activation(y);
  }
  return normalise_with(x, norm, norm.weight, norm.bias, activation);
}

at::Tensor normalise_scaled(const at::Tensor& x, const torch::nn::GroupNormImpl& norm,
                            const at::Tensor& scale, const at::Tensor& shift,
                            Activation activation) {
  return normalise_with(x, norm, norm.weight * scale, norm.bias * scale + shift, activation);
}

}  // namespace effuse
