#include "diffusion/step_plan.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "core/text.hpp"

namespace effuse {
namespace {

using Plan = std::vector<SamplerStep>;

/// Steps between the time steps visited, the last of them to the image.
Plan plan_between(const std::vector<TimeStep>& visited, const Schedule& schedule) {
  Plan plan;
  for (const TimeStep& step : visited) {
    plan.push_back({.number = step.number,
                    .t = step.t,
                    .t_next = step.t_next,
                    .levels = {schedule.alpha_bar(step.t), schedule.alpha_bar(step.t_next)},
                    .beta = schedule.beta(step.t),
                    .adds_noise = step.t_next >= 0,
                    .repeat = std::nullopt});
  }
  return plan;
}

Plan plan_effuse(const SamplerSettings& settings, const Schedule& schedule) {
  const Spacing spacing = settings.spacing.value_or(Spacing::linspace);
  return plan_between(time_steps(spacing, settings.steps, schedule.size()), schedule);
}

/// From T-1 to 1: the first entry of the table is where IDDM ends, for its ddpm as for the others.
Plan plan_iddm_ddpm(const Schedule& schedule) {
  std::vector<TimeStep> visited;
  for (std::int64_t t = schedule.size() - 1; t >= 1; --t) {
    visited.push_back({schedule.size() - 1 - t, t, t - 1});
  }
  Plan plan = plan_between(visited, schedule);
  if (!plan.empty()) plan.back().adds_noise = false;
  return plan;
}

/// 1, 1 + k, 1 + 2k … with k = floor(T / S), descending, the last step going to 0.
Plan plan_iddm(const SamplerSettings& settings, const Schedule& schedule) {
  const std::int64_t total = schedule.size();
  const std::int64_t stride = total / settings.steps;
  const std::int64_t first = (total - 1) / stride * stride + 1;
  if (first >= total) {
    throw ConfigError(cat("sampling.steps is ", settings.steps,
                          ", for which IDDM's time steps begin at ", first, ", beyond the last (",
                          total - 1, "). Choose a number that divides ", total,
                          " and is less, or another sampling.convention."));
  }
  std::vector<TimeStep> visited;
  for (std::int64_t t = first; t > 0; t -= stride) {
    visited.push_back({(first - t) / stride, t, std::max<std::int64_t>(t - stride, 0)});
  }
  return plan_between(visited, schedule);
}

/// DDPMScheduler: noise is added wherever t > 0.
Plan plan_diffusers_ddpm(const std::vector<TimeStep>& visited, const Schedule& schedule) {
  Plan plan = plan_between(visited, schedule);
  for (SamplerStep& step : plan) step.adds_noise = step.t > 0;
  return plan;
}

/// DDIMScheduler and PNDMScheduler: a step goes to t - floor(T / S), whatever is visited next;
/// below 0 lies `final_alpha_bar`.
Plan plan_diffusers_strides(const std::vector<TimeStep>& visited, const Schedule& schedule,
                            double final_alpha_bar) {
  const std::int64_t stride = schedule.size() / static_cast<std::int64_t>(visited.size());
  const auto level = [&](std::int64_t t) {
    return t < 0 ? final_alpha_bar : schedule.alpha_bar(std::min(t, schedule.size() - 1));
  };
  Plan plan = plan_between(visited, schedule);
  for (SamplerStep& step : plan) step.levels.to = level(step.t - stride);
  if (plan.size() > 1) {
    const std::int64_t second = plan[0].t_next;
    plan[0].repeat = Levels{level(second + stride), level(second)};
  }
  return plan;
}

/// DPMSolverMultistepScheduler: linspace and leading leave the last of S + 1 time steps out, and a
/// level without signal is lifted to 2^-24.
Plan plan_diffusers_dpm(const SamplerSettings& settings, const Schedule& schedule) {
  const Spacing spacing = settings.spacing.value_or(Spacing::linspace);
  const std::int64_t total = schedule.size();
  const bool drops_last = spacing != Spacing::trailing;
  std::vector<TimeStep> visited;
  if (!drops_last || settings.steps < total) {
    visited = time_steps(spacing, settings.steps + (drops_last ? 1 : 0), total);
    if (drops_last) visited.pop_back();
    visited.back().t_next = -1;
  }
  if (visited.empty()) {
    throw ConfigError(cat("sampling.steps is ", settings.steps,
                          ", for which the time steps of diffusers' DPMSolverMultistepScheduler "
                          "repeat themselves. Choose at most ",
                          total - 1,
                          ", sampling.spacing = trailing, or another "
                          "sampling.convention."));
  }
  Plan plan = plan_between(visited, schedule);
  if (plan.front().levels.from <= 0.0) plan.front().levels.from = 0x1p-24;
  return plan;
}

/// One step alone begins at 0 with spacing linspace, where numpy's linspace begins.
std::vector<TimeStep> diffusers_time_steps(const SamplerSettings& settings,
                                           std::int64_t timesteps) {
  const Spacing spacing = settings.spacing.value_or(Spacing::leading);
  if (spacing == Spacing::linspace && settings.steps == 1) return {{0, 0, -1}};
  return time_steps(spacing, settings.steps, timesteps);
}

Plan plan_diffusers(const SamplerSettings& settings, const Schedule& schedule) {
  if (settings.kind == SamplerKind::dpmpp_2m) return plan_diffusers_dpm(settings, schedule);
  const auto visited = diffusers_time_steps(settings, schedule.size());
  if (settings.kind == SamplerKind::ddpm) return plan_diffusers_ddpm(visited, schedule);
  const bool ends_at_image = settings.kind == SamplerKind::ddim;  // set_alpha_to_one
  return plan_diffusers_strides(visited, schedule, ends_at_image ? 1.0 : schedule.alpha_bar(0));
}

}  // namespace

std::vector<SamplerStep> plan_steps(const SamplerSettings& settings, const Schedule& schedule) {
  check_sampler(settings, schedule);
  switch (settings.convention) {
    case Convention::effuse:
      return plan_effuse(settings, schedule);
    case Convention::iddm:
      return settings.kind == SamplerKind::ddpm ? plan_iddm_ddpm(schedule)
                                                : plan_iddm(settings, schedule);
    case Convention::diffusers:
      return plan_diffusers(settings, schedule);
  }
  throw Error("unknown convention");
}

}  // namespace effuse
