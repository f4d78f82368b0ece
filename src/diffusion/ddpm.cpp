#include "diffusion/ddpm.hpp"

#include <ATen/ATen.h>

#include <cmath>

#include "diffusion/estimate.hpp"

namespace effuse {

at::Tensor DdpmRule::mean(const at::Tensor& x, const at::Tensor& output,
                          const Levels& levels) const {
  const double alpha = levels.from / levels.to;
  if (clip_ == Clip::no && prediction_ == Prediction::epsilon) {
    // The same in terms of the noise (formula 11), which does not divide by sqrt(alpha_bar).
    const double noise_weight = (1.0 - alpha) / std::sqrt(1.0 - levels.from);
    return at::sub(x, output, noise_weight).div_(std::sqrt(alpha));
  }
  const double image_weight = std::sqrt(levels.to) * (1.0 - alpha) / (1.0 - levels.from);
  const double x_weight = std::sqrt(alpha) * (1.0 - levels.to) / (1.0 - levels.from);
  return at::mul(estimate_image(prediction_, clip_, x, output, levels.from), image_weight)
      .add_(x, x_weight);
}

at::Tensor DdpmRule::advance(const at::Tensor& x, const SamplerStep& step, const Denoiser& denoiser,
                             const StepNoise& noise) {
  at::Tensor next = mean(x, ask(denoiser, x, step.t), step.levels);
  const double variance = variance_ == Variance::fixed_small
                              ? posterior_variance(step.levels)
                              : 1.0 - step.levels.from / step.levels.to;
  if (step.adds_noise && variance > 0.0) {
    next.add_(noise(step.number).to(x.options()), std::sqrt(variance));
  }
  return next;
}

}  // namespace effuse
