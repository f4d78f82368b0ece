#include "diffusion/schedule.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <string>

#include "core/error.hpp"
#include "core/text.hpp"

namespace effuse {
namespace {

using Betas = std::vector<double>;

/// Equal steps from beta_start to beta_end (Ho et al. 2020).
Betas linear_betas(const DiffusionConfig& config) {
  const std::int64_t last = config.timesteps - 1;
  Betas betas;
  for (std::int64_t t = 0; t <= last; ++t) {
    const double share = last == 0 ? 0.0 : static_cast<double>(t) / static_cast<double>(last);
    betas.push_back(config.beta_start + (config.beta_end - config.beta_start) * share);
  }
  return betas;
}

/// alpha_bar(u) = cos^2((u + 0.008) / 1.008 * pi / 2), betas at most 0.999 (Nichol & Dhariwal
/// 2021), as diffusers' squaredcos_cap_v2 computes them.
Betas cosine_betas(const DiffusionConfig& config) {
  const auto alpha_bar = [&](std::int64_t i) {
    const double u = static_cast<double>(i) / static_cast<double>(config.timesteps);
    const double cosine = std::cos((u + 0.008) / 1.008 * std::numbers::pi / 2);
    return cosine * cosine;
  };
  Betas betas;
  for (std::int64_t t = 0; t < config.timesteps; ++t) {
    betas.push_back(std::min(1.0 - alpha_bar(t + 1) / alpha_bar(t), 0.999));
  }
  return betas;
}

struct NamedSchedule {
  std::string name;
  Betas (*betas)(const DiffusionConfig&);
};

Betas betas_of(const DiffusionConfig& config) {
  static const std::array<NamedSchedule, 2> schedules = {NamedSchedule{"linear", linear_betas},
                                                         NamedSchedule{"cosine", cosine_betas}};
  std::vector<std::string> names;
  for (const NamedSchedule& schedule : schedules) {
    if (schedule.name == config.schedule) return schedule.betas(config);
    names.push_back(schedule.name);
  }
  const std::string nearest = nearest_name(config.schedule, names);
  throw ConfigError(cat("diffusion.schedule is \"", config.schedule, "\", which is not known",
                        nearest.empty() ? "" : cat("; did you mean \"", nearest, "\"?")));
}

}  // namespace

Schedule::Schedule(const DiffusionConfig& config) {
  if (config.timesteps < 1) {
    throw ConfigError(cat("diffusion.timesteps is ", config.timesteps, "; it must be at least 1"));
  }
  betas_ = betas_of(config);
  double product = 1.0;
  for (const double beta : betas_) {
    if (!(beta > 0.0 && beta < 1.0)) {
      throw ConfigError(cat("diffusion.schedule \"", config.schedule, "\" has a beta of ", beta,
                            ", outside (0, 1); check diffusion.beta_start and diffusion.beta_end"));
    }
    product *= 1.0 - beta;
    alpha_bar_.push_back(product);
  }
}

}  // namespace effuse
