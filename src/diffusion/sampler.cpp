#include "diffusion/sampler.hpp"

#include <ATen/core/grad_mode.h>

#include <array>
#include <string>
#include <utility>

#include "core/error.hpp"
#include "core/text.hpp"
#include "diffusion/ddim.hpp"
#include "diffusion/ddpm.hpp"

namespace effuse {

SamplerKind sampler_named(std::string_view name) {
  static const std::array<std::string, 2> names = {"ddpm", "ddim"};
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == name) return static_cast<SamplerKind>(i);
  }
  const std::string nearest = nearest_name(name, names);
  throw ConfigError(cat("sampling.sampler is \"", name, "\", which is no known sampler",
                        nearest.empty() ? "" : cat("; did you mean \"", nearest, "\"?")));
}

std::unique_ptr<UpdateRule> make_update_rule(const SamplerSettings& settings,
                                             const Schedule& schedule) {
  switch (settings.kind) {
    case SamplerKind::ddpm:
      return std::make_unique<DdpmRule>(schedule);
    case SamplerKind::ddim:
      return std::make_unique<DdimRule>(schedule, settings.eta);
  }
  throw Error("unknown kind of sampler");
}

at::Tensor sample(const SamplerSettings& settings, const Schedule& schedule,
                  const Denoiser& denoiser, at::Tensor x_t, const StepNoise& step_noise,
                  const StopWanted& stop_wanted) {
  const auto steps = time_steps(settings.spacing, settings.steps, schedule.size());
  const auto rule = make_update_rule(settings, schedule);
  const at::NoGradGuard no_grad;
  for (const TimeStep& step : steps) {
    if (stop_wanted && stop_wanted()) return {};
    x_t = rule->advance(x_t, step, denoiser, step_noise);
  }
  return x_t;
}

}  // namespace effuse
