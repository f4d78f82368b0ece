#include "diffusion/ddpm.hpp"

#include <cmath>

#include "diffusion/reverse_step.hpp"

namespace effuse {

at::Tensor DdpmRule::advance(const at::Tensor& x, const TimeStep& step, const Denoiser& denoiser,
                             const StepNoise& noise) {
  const ReverseStep reverse(schedule_, step);
  const double alpha = reverse.alpha_bar / reverse.alpha_bar_next;
  const double x0_weight =
      std::sqrt(reverse.alpha_bar_next) * (1.0 - alpha) / (1.0 - reverse.alpha_bar);
  const double x_weight =
      std::sqrt(alpha) * (1.0 - reverse.alpha_bar_next) / (1.0 - reverse.alpha_bar);
  const at::Tensor epsilon = predict_noise(denoiser, x, step.t);
  at::Tensor next = predict_image(x, epsilon, reverse.alpha_bar).mul_(x0_weight).add_(x, x_weight);
  const double variance = reverse.posterior_variance();
  if (variance > 0.0) next.add_(noise(step.number).to(x.options()), std::sqrt(variance));
  return next;
}

}  // namespace effuse
