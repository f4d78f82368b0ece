#pragma once

#include <deque>

#include "diffusion/update_rule.hpp"

namespace effuse {

/// Pseudo linear multistep (Liu et al. 2022): the noise of a step is the Adams-Bashforth average,
/// of order 2, 3, then 4, of its prediction and those of up to three steps before; the step itself
/// is DDIM's, which is the paper's transfer (formula 9). The first step is taken twice, the second
/// time with the mean of the noise at its two ends, so S steps cost S + 1 predictions. IDDM starts
/// so, and so does diffusers' PNDMScheduler with skip_prk_steps.
class PlmsRule : public UpdateRule {
 public:
  /// In the convention diffusers the network's answers are averaged, which matters for v alone;
  /// otherwise the noise.
  PlmsRule(Prediction prediction, Clip clip, Convention convention)
      : prediction_(prediction), clip_(clip), convention_(convention) {}

  at::Tensor advance(const at::Tensor& x, const SamplerStep& step, const Denoiser& denoiser,
                     const StepNoise& noise) override;

 private:
  at::Tensor ask_for(const at::Tensor& x, std::int64_t t, double alpha_bar,
                     const Denoiser& denoiser) const;
  at::Tensor transfer(const at::Tensor& x, const at::Tensor& averaged, const Levels& levels) const;
  at::Tensor adams_bashforth() const;

  Prediction prediction_;
  Clip clip_;
  Convention convention_;
  std::deque<at::Tensor> history_;  ///< newest first, at most four
};

}  // namespace effuse
