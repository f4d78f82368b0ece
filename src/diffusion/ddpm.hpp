#pragma once

#include "diffusion/update_rule.hpp"

namespace effuse {

/// Ancestral sampling (Ho et al. 2020, algorithm 2). With fewer than T steps the betas are those
/// between the steps visited.
class DdpmRule : public UpdateRule {
 public:
  DdpmRule(Prediction prediction, Clip clip, Variance variance)
      : prediction_(prediction), clip_(clip), variance_(variance) {}

  at::Tensor advance(const at::Tensor& x, const SamplerStep& step, const Denoiser& denoiser,
                     const StepNoise& noise) override;

 private:
  /// Mean of q(x_to | x_from, x_0) at the predicted image.
  at::Tensor mean(const at::Tensor& x, const at::Tensor& output, const Levels& levels) const;

  Prediction prediction_;
  Clip clip_;
  Variance variance_;
};

}  // namespace effuse
