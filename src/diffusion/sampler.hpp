#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "diffusion/denoiser.hpp"
#include "diffusion/schedule.hpp"
#include "diffusion/time_steps.hpp"

namespace effuse {

enum class SamplerKind {
  ddpm,  ///< ancestral sampling (Ho et al. 2020)
  ddim,  ///< Song et al. 2021
};

/// The sampler of this name. Throws ConfigError naming sampling.sampler and the nearest name.
SamplerKind sampler_named(std::string_view name);

struct SamplerSettings {
  SamplerKind kind = SamplerKind::ddim;
  std::int64_t steps = 50;  ///< 1 … T
  double eta = 0.0;         ///< ddim: 0 deterministic, 1 the noise of ddpm
  Spacing spacing = Spacing::linspace;
};

/// Standard normal noise of the batch's shape to be added after step `step` (0, 1 …). Called only
/// where noise is added, so it may be empty for a deterministic sampler.
using StepNoise = std::function<at::Tensor(std::int64_t step)>;

/// Asked before each step, on the calling thread; true ends the sampling.
using StopWanted = std::function<bool()>;

/// The update rule of one sampler for one batch; rules that look back keep their history here.
class UpdateRule {
 public:
  virtual ~UpdateRule() = default;

  /// x at step.t_next from x at step.t.
  virtual at::Tensor advance(const at::Tensor& x, const TimeStep& step, const Denoiser& denoiser,
                             const StepNoise& noise) = 0;
};

/// `schedule` must outlive the rule.
std::unique_ptr<UpdateRule> make_update_rule(const SamplerSettings& settings,
                                             const Schedule& schedule);

/// Images from noise. x_t: [N, C, H, W] fp32 or fp64, the noise at the first time step; the result
/// has its shape, type and device, with values near [-1, 1] (see to_uint8). All arithmetic but the
/// denoiser's is in that type; no gradients are recorded. Returns an undefined tensor where
/// `stop_wanted` ended it. Throws ConfigError for impossible settings.
at::Tensor sample(const SamplerSettings& settings, const Schedule& schedule,
                  const Denoiser& denoiser, at::Tensor x_t, const StepNoise& step_noise,
                  const StopWanted& stop_wanted = {});

}  // namespace effuse
