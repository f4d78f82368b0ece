#include "diffusion/ddim.hpp"

#include <ATen/core/Tensor.h>

#include <cmath>

#include "diffusion/estimate.hpp"

namespace effuse {

at::Tensor DdimRule::advance(const at::Tensor& x, const SamplerStep& step, const Denoiser& denoiser,
                             const StepNoise& noise) {
  const double deviation = eta_ * std::sqrt(posterior_variance(step.levels));
  const at::Tensor output = ask(denoiser, x, step.t);
  const at::Tensor image = estimate_image(prediction_, clip_, x, output, step.levels.from);
  const at::Tensor epsilon = noise_from(prediction_, x, output, step.levels.from);
  at::Tensor next = move(image, epsilon, step.levels.to, deviation);
  if (deviation > 0.0) next.add_(noise(step.number).to(x.options()), deviation);
  return next;
}

}  // namespace effuse
