#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "diffusion/sampler_settings.hpp"
#include "diffusion/schedule.hpp"

namespace effuse {

/// Two noise levels, as alpha_bar, between which a step moves.
struct Levels {
  double from = 0.0;
  double to = 1.0;  ///< 1: the image itself
};

/// One step of a sampler in numbers: the denoiser is asked at time step t, and x moves from one
/// noise level to the other.
struct SamplerStep {
  std::int64_t number = 0;  ///< 0, 1 … S-1
  std::int64_t t = 0;
  std::int64_t t_next = -1;  ///< asked next; -1 after the last
  Levels levels;
  double beta = 0.0;        ///< the schedule's at t
  bool adds_noise = false;  ///< where the sampler is one that adds noise

  /// plms, first step: the levels between which the step is repeated once the noise at its end is
  /// known. Those of the step but for diffusers with spacing linspace.
  std::optional<Levels> repeat;
};

/// Variance of q(x_to | x_from, x_0): (1 - to) / (1 - from) (1 - from / to). 0 at the image.
inline double posterior_variance(const Levels& levels) {
  return (1.0 - levels.to) / (1.0 - levels.from) * (1.0 - levels.from / levels.to);
}

/// The steps of a sampler in the order in which they are taken, t strictly descending. Throws
/// ConfigError as check_sampler() does, and where a convention's own time steps break down: IDDM's
/// leave the table for some numbers of steps, diffusers' repeat themselves.
std::vector<SamplerStep> plan_steps(const SamplerSettings& settings, const Schedule& schedule);

}  // namespace effuse
