#include "diffusion/plms.hpp"

#include <ATen/ATen.h>

#include <array>
#include <vector>

#include "diffusion/diffusers_arithmetic.hpp"
#include "diffusion/estimate.hpp"

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
  const at::Tensor image = estimate_image(Prediction::epsilon, clip_, x, averaged, levels.from);
  return move(image, averaged, levels.to);
}

at::Tensor PlmsRule::adams_bashforth() const {
  static const std::array<std::vector<double>, 4> weights = {
      {{1.0},
       {3.0 / 2, -1.0 / 2},
       {23.0 / 12, -16.0 / 12, 5.0 / 12},
       {55.0 / 24, -59.0 / 24, 37.0 / 24, -9.0 / 24}}};
  const std::vector<double>& own = weights[history_.size() - 1];
  at::Tensor sum = history_[0] * own[0];
  for (std::size_t i = 1; i < own.size(); ++i) sum.add_(history_[i], own[i]);
  return sum;
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
