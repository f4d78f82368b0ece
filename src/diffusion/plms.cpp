#include "diffusion/plms.hpp"

#include <ATen/ATen.h>

#include "diffusion/diffusers_arithmetic.hpp"
#include "diffusion/estimate.hpp"
#include "diffusion/iddm_arithmetic.hpp"

namespace effuse {

at::Tensor PlmsRule::ask_for(const at::Tensor& x, std::int64_t t, double alpha_bar,
                             const Denoiser& denoiser) const {
  const at::Tensor output = ask(denoiser, x, t);
  if (convention_ == Convention::diffusers) return output;
  return noise_from(prediction_, x, output, alpha_bar);
}

at::Tensor PlmsRule::transfer(const at::Tensor& x, const at::Tensor& averaged,
                              const Levels& levels) const {
  if (convention_ == Convention::diffusers) {
    return diffusers_plms_transfer(x, noise_from(prediction_, x, averaged, levels.from), levels);
  }
  if (convention_ == Convention::iddm) return iddm_step(x, averaged, levels);
  const at::Tensor image = estimate_image(Prediction::epsilon, clip_, x, averaged, levels.from);
  return move(image, averaged, levels.to);
}

at::Tensor PlmsRule::adams_bashforth() const {
  const auto& e = history_;
  switch (e.size()) {
    case 1:
      return e[0];
    case 2:
      return (3 * e[0] - e[1]) / 2;
    case 3:
      return (23 * e[0] - 16 * e[1] + 5 * e[2]) / 12;
    default:
      return (55 * e[0] - 59 * e[1] + 37 * e[2] - 9 * e[3]) / 24;
  }
}

at::Tensor PlmsRule::advance(const at::Tensor& x, const SamplerStep& step, const Denoiser& denoiser,
                             const StepNoise&) {
  const at::Tensor here = ask_for(x, step.t, step.levels.from, denoiser);
  history_.push_front(here);
  if (history_.size() > 4) history_.pop_back();
  if (history_.size() > 1) return transfer(x, adams_bashforth(), step.levels);
  const at::Tensor next = transfer(x, here, step.levels);
  if (step.t_next < 0) return next;
  const Levels repeat = step.repeat.value_or(step.levels);
  const at::Tensor there = ask_for(next, step.t_next, repeat.to, denoiser);
  return transfer(x, at::add(here, there).div_(2), repeat);
}

}  // namespace effuse
