#pragma once

#include "diffusion/update_rule.hpp"

namespace effuse {

/// DPM-Solver++(2M) (Lu et al. 2022, algorithm 2), with lambda = log(sqrt(ab) / sqrt(1 - ab)) and h
/// its growth over the step:
///   x_to = sigma_to / sigma_from x - sqrt(ab_to) (e^-h - 1) D,
///   D = (1 + 1/(2r)) D_now - 1/(2r) D_before,  r = h_before / h,
/// D being the predicted image. Of first order in the first step, where there is no D_before, and
/// in the last if it ends at the image, where h is infinite.
class Dpmpp2mRule : public UpdateRule {
 public:
  Dpmpp2mRule(Prediction prediction, Clip clip) : prediction_(prediction), clip_(clip) {}

  at::Tensor advance(const at::Tensor& x, const SamplerStep& step, const Denoiser& denoiser,
                     const StepNoise& noise) override;

 private:
  Prediction prediction_;
  Clip clip_;
  at::Tensor image_before_;  ///< undefined before the first step
  double growth_before_ = 0.0;
};

}  // namespace effuse
