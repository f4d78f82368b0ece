#include "diffusion/iddm_arithmetic.hpp"

#include <ATen/ATen.h>

#include "diffusion/estimate.hpp"

namespace effuse {
namespace {

at::Tensor step_with_noise(const at::Tensor& x, const at::Tensor& epsilon, const Levels& levels,
                           double eta, const at::Tensor& noise) {
  const at::Tensor from = scalar(levels.from, x);
  const at::Tensor to = scalar(levels.to, x);
  const at::Tensor image = ((x - (1 - from).sqrt() * epsilon) / from.sqrt()).clamp(-1, 1);
  const at::Tensor deviation = eta * ((1 - from / to) * (1 - to) / (1 - from)).sqrt();
  const at::Tensor direction = (1 - to - deviation.square()).sqrt();
  const at::Tensor next = to.sqrt() * image + direction * epsilon;
  return noise.defined() ? next + deviation * noise : next;
}

}  // namespace

at::Tensor iddm_step(const at::Tensor& x, const at::Tensor& epsilon, const Levels& levels) {
  return step_with_noise(x, epsilon, levels, 0.0, {});
}

at::Tensor IddmDdimRule::advance(const at::Tensor& x, const SamplerStep& step,
                                 const Denoiser& denoiser, const StepNoise& noise) {
  const at::Tensor epsilon = noise_from(prediction_, x, ask(denoiser, x, step.t), step.levels.from);
  const at::Tensor drawn = eta_ > 0.0 ? noise(step.number).to(x.options()) : at::Tensor();
  return step_with_noise(x, epsilon, step.levels, eta_, drawn);
}

at::Tensor IddmDdpmRule::advance(const at::Tensor& x, const SamplerStep& step,
                                 const Denoiser& denoiser, const StepNoise& noise) {
  const at::Tensor epsilon = noise_from(prediction_, x, ask(denoiser, x, step.t), step.levels.from);
  const at::Tensor beta = scalar(step.beta, x);
  const at::Tensor alpha = 1 - beta;
  const at::Tensor weight = (1 - alpha) / (1 - scalar(step.levels.from, x)).sqrt();
  const at::Tensor mean = 1 / alpha.sqrt() * (x - weight * epsilon);
  if (!step.adds_noise) return mean.clamp(-1, 1);  // the last step's, which is the result
  return mean + beta.sqrt() * noise(step.number).to(x.options());
}

}  // namespace effuse
