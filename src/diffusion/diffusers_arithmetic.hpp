#pragma once

#include <ATen/core/Tensor.h>

#include "diffusion/update_rule.hpp"

/// Steps with their scalars computed in the type of x and in the order of operations of diffusers.
/// Where little signal is left, as at the begin of a cosine schedule, these scalars nearly cancel,
/// and their rounding in fp32 is a visible part of the result.
namespace effuse {

/// PNDMScheduler: formula 9 of Liu et al. 2022. x, epsilon: [N, C, H, W].
at::Tensor diffusers_plms_transfer(const at::Tensor& x, const at::Tensor& epsilon,
                                   const Levels& levels);

/// DPMSolverMultistepScheduler with algorithm "dpmsolver++", order 2, solver "midpoint".
class DiffusersDpmpp2mRule : public UpdateRule {
 public:
  explicit DiffusersDpmpp2mRule(Prediction prediction) : prediction_(prediction) {}

  at::Tensor advance(const at::Tensor& x, const SamplerStep& step, const Denoiser& denoiser,
                     const StepNoise& noise) override;

 private:
  Prediction prediction_;
  at::Tensor image_before_;  ///< undefined before the first step
  at::Tensor growth_before_;
};

}  // namespace effuse
