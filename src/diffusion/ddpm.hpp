#pragma once

#include "diffusion/sampler.hpp"

namespace effuse {

/// Ancestral sampling (Ho et al. 2020, algorithm 2) with the variance of the posterior (diffusers'
/// "fixed_small") and x_0 clamped to [-1, 1]. With fewer than T steps the betas are those between
/// the steps visited. As diffusers' DDPMScheduler.
class DdpmRule : public UpdateRule {
 public:
  explicit DdpmRule(const Schedule& schedule) : schedule_(schedule) {}

  at::Tensor advance(const at::Tensor& x, const TimeStep& step, const Denoiser& denoiser,
                     const StepNoise& noise) override;

 private:
  const Schedule& schedule_;
};

}  // namespace effuse
