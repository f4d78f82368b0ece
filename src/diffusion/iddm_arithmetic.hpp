#pragma once

#include <ATen/core/Tensor.h>

#include "diffusion/update_rule.hpp"

/// Steps with their scalars computed in the type of x and in the order of operations of IDDM, so
/// that its results are repeated to the last bit where the network's are.
namespace effuse {

/// The step of IDDM's ddim and plms without noise, x_0 clamped to [-1, 1]. x, epsilon: [N, C, H,
/// W].
at::Tensor iddm_step(const at::Tensor& x, const at::Tensor& epsilon, const Levels& levels);

/// IDDM's ddim.
class IddmDdimRule : public UpdateRule {
 public:
  IddmDdimRule(Prediction prediction, double eta) : prediction_(prediction), eta_(eta) {}

  at::Tensor advance(const at::Tensor& x, const SamplerStep& step, const Denoiser& denoiser,
                     const StepNoise& noise) override;

 private:
  Prediction prediction_;
  double eta_;
};

/// IDDM's ddpm: nothing but its result is clamped, and the variance of the noise is beta.
class IddmDdpmRule : public UpdateRule {
 public:
  explicit IddmDdpmRule(Prediction prediction) : prediction_(prediction) {}

  at::Tensor advance(const at::Tensor& x, const SamplerStep& step, const Denoiser& denoiser,
                     const StepNoise& noise) override;

 private:
  Prediction prediction_;
};

}  // namespace effuse
