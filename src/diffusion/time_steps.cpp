#include "diffusion/time_steps.hpp"

#include <array>
#include <cmath>
#include <string>

#include "core/error.hpp"
#include "core/named.hpp"
#include "core/text.hpp"

namespace effuse {
namespace {

std::int64_t rounded(double value) { return static_cast<std::int64_t>(std::nearbyint(value)); }

/// Visited as number i (0 first).
std::int64_t time_step_at(Spacing spacing, std::int64_t i, std::int64_t steps,
                          std::int64_t timesteps) {
  const auto total = static_cast<double>(timesteps);
  const auto count = static_cast<double>(steps);
  switch (spacing) {
    case Spacing::linspace:
      if (i == 0) return timesteps - 1;
      return rounded(static_cast<double>(steps - 1 - i) * ((total - 1) / (count - 1)));
    case Spacing::leading:
      return (steps - 1 - i) * (timesteps / steps);
    case Spacing::trailing:
      return rounded(total - static_cast<double>(i) * (total / count)) - 1;
  }
  throw Error("unknown spacing of time steps");
}

}  // namespace

Spacing spacing_named(std::string_view name) {
  static const std::array<std::string, 3> names = {"linspace", "leading", "trailing"};
  return static_cast<Spacing>(place_of(name, names, "sampling.spacing"));
}

std::vector<TimeStep> time_steps(Spacing spacing, std::int64_t steps, std::int64_t timesteps) {
  if (steps < 1 || steps > timesteps) {
    throw ConfigError(cat("sampling in ", steps, " steps is not possible with ", timesteps,
                          " noise levels (diffusion.timesteps); choose 1 to ", timesteps));
  }
  std::vector<TimeStep> result;
  for (std::int64_t i = 0; i < steps; ++i) {
    const std::int64_t t = time_step_at(spacing, i, steps, timesteps);
    if (!result.empty()) result.back().t_next = t;
    result.push_back({i, t, -1});
  }
  return result;
}

}  // namespace effuse
