#include "diffusion/sampler.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "diffusion/step_plan.hpp"

namespace effuse {

at::Tensor sample(const SamplerSettings& settings, const Schedule& schedule,
                  const Denoiser& denoiser, at::Tensor x_t, const StepNoise& step_noise,
                  const StopWanted& stop_wanted) {
  const bool foreign_fp32 =
      settings.convention != Convention::effuse && x_t.scalar_type() == at::kFloat;
  const auto steps = plan_steps(settings, foreign_fp32 ? schedule.rounded_to_fp32() : schedule);
  const auto rule = make_update_rule(settings);
  const at::NoGradGuard no_grad;
  for (const SamplerStep& step : steps) {
    if (stop_wanted && stop_wanted()) return {};
    x_t = rule->advance(x_t, step, denoiser, step_noise);
  }
  return x_t;
}

}  // namespace effuse
