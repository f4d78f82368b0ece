#include "diffusion/ddim.hpp"

#include <algorithm>
#include <cmath>

#include "core/error.hpp"
#include "core/text.hpp"
#include "diffusion/reverse_step.hpp"

namespace effuse {

DdimRule::DdimRule(const Schedule& schedule, double eta) : schedule_(schedule), eta_(eta) {
  if (!(eta >= 0.0 && eta <= 1.0)) {
    throw ConfigError(cat("sampling.eta is ", eta, "; it must lie in [0, 1]"));
  }
}

at::Tensor DdimRule::advance(const at::Tensor& x, const TimeStep& step, const Denoiser& denoiser,
                             const StepNoise& noise) {
  const ReverseStep reverse(schedule_, step);
  const double deviation = eta_ * std::sqrt(reverse.posterior_variance());
  const double direction_weight =
      std::sqrt(std::max(0.0, 1.0 - reverse.alpha_bar_next - deviation * deviation));
  const at::Tensor epsilon = predict_noise(denoiser, x, step.t);
  at::Tensor next = predict_image(x, epsilon, reverse.alpha_bar)
                        .mul_(std::sqrt(reverse.alpha_bar_next))
                        .add_(epsilon, direction_weight);
  if (deviation > 0.0) next.add_(noise(step.number).to(x.options()), deviation);
  return next;
}

}  // namespace effuse
