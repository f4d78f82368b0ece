#pragma once

#include <ATen/core/Tensor.h>

#include "diffusion/denoiser.hpp"
#include "diffusion/schedule.hpp"
#include "diffusion/time_steps.hpp"

namespace effuse {

/// The scalars of one reverse step that update rules share.
struct ReverseStep {
  ReverseStep(const Schedule& schedule, const TimeStep& step)
      : alpha_bar(schedule.alpha_bar(step.t)), alpha_bar_next(schedule.alpha_bar(step.t_next)) {}

  double alpha_bar;       ///< at step.t
  double alpha_bar_next;  ///< at step.t_next; 1 at the end

  /// Variance of q(x_next | x_t, x_0): (1 - ab_next) / (1 - ab) (1 - ab / ab_next). 0 at the end.
  double posterior_variance() const {
    return (1.0 - alpha_bar_next) / (1.0 - alpha_bar) * (1.0 - alpha_bar / alpha_bar_next);
  }
};

/// What the denoiser says at a step, in the type of x.
at::Tensor predict_noise(const Denoiser& denoiser, const at::Tensor& x, std::int64_t t);

/// x_0 = (x_t - sqrt(1 - alpha_bar) epsilon) / sqrt(alpha_bar), clamped to [-1, 1].
at::Tensor predict_image(const at::Tensor& x, const at::Tensor& epsilon, double alpha_bar);

}  // namespace effuse
