#pragma once

#include "diffusion/update_rule.hpp"

namespace effuse {

/// Denoising diffusion implicit models (Song et al. 2021, formulas 12 and 16). The noise direction
/// is the prediction as it came, also where the predicted image is clamped.
class DdimRule : public UpdateRule {
 public:
  DdimRule(Prediction prediction, Clip clip, double eta)
      : prediction_(prediction), clip_(clip), eta_(eta) {}

  at::Tensor advance(const at::Tensor& x, const SamplerStep& step, const Denoiser& denoiser,
                     const StepNoise& noise) override;

 private:
  Prediction prediction_;
  Clip clip_;
  double eta_;
};

}  // namespace effuse
