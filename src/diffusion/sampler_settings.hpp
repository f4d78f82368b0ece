#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "config/config.hpp"
#include "diffusion/prediction.hpp"
#include "diffusion/schedule.hpp"
#include "diffusion/time_steps.hpp"

namespace effuse {

enum class SamplerKind {
  ddpm,      ///< ancestral sampling (Ho et al. 2020)
  ddim,      ///< Song et al. 2021
  plms,      ///< pseudo linear multistep (Liu et al. 2022)
  dpmpp_2m,  ///< DPM-Solver++ of order 2, multistep (Lu et al. 2022)
};

/// Noise that ddpm adds.
enum class Variance {
  fixed_small,  ///< that of the posterior q(x_next | x_t, x_0)
  fixed_large,  ///< beta of the step
};

/// Whose arithmetic: which time steps are visited, where the last step ends, what is clamped.
enum class Convention {
  effuse,     ///< the time steps of `spacing`; the last step ends at the image, alpha_bar 1
  iddm,       ///< IDDM's ddpm, ddim and plms, which end at alpha_bar_0
  diffusers,  ///< DDPMScheduler, DDIMScheduler, PNDMScheduler, DPMSolverMultistepScheduler
};

/// Whether the predicted image is clamped to [-1, 1].
enum class Clip { no, yes };

struct SamplerSettings {
  SamplerKind kind = SamplerKind::ddim;
  std::int64_t steps = 50;  ///< 1 … T
  double eta = 0.0;         ///< ddim: 0 deterministic, 1 the noise of ddpm
  Variance variance = Variance::fixed_small;
  std::optional<Spacing> spacing = std::nullopt;  ///< nothing: what the convention does by default
  Clip clip = Clip::yes;
  Convention convention = Convention::effuse;
  Prediction prediction = Prediction::epsilon;  ///< what the denoiser answers
};

/// From [sampling] and [diffusion]. Throws ConfigError naming the key and the nearest name.
SamplerSettings sampler_settings(const SamplingConfig& sampling, const DiffusionConfig& diffusion);

/// Throws ConfigError, naming the key under [sampling], for settings that contradict one another or
/// the schedule: a setting that would have no effect is refused rather than ignored.
void check_sampler(const SamplerSettings& settings, const Schedule& schedule);

}  // namespace effuse
