#pragma once

#include "diffusion/sampler.hpp"

namespace effuse {

/// Denoising diffusion implicit models (Song et al. 2021, formulas 12 and 16): x_0 is clamped to
/// [-1, 1], the noise direction is the prediction as it came, and the last step ends at the image
/// (alpha_bar 1). As diffusers' DDIMScheduler with clip_sample and set_alpha_to_one; unlike it, the
/// next time step is always the one visited next (diffusers takes t - T/S, which differs for
/// linspace).
class DdimRule : public UpdateRule {
 public:
  /// Throws ConfigError unless eta lies in [0, 1].
  DdimRule(const Schedule& schedule, double eta);

  at::Tensor advance(const at::Tensor& x, const TimeStep& step, const Denoiser& denoiser,
                     const StepNoise& noise) override;

 private:
  const Schedule& schedule_;
  double eta_;
};

}  // namespace effuse
