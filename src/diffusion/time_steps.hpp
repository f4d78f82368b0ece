#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace effuse {

/// Which S of the T time steps a sampler visits (Lin et al. 2023, table 2); names and rounding are
/// those of diffusers. Rounding is to the nearest, halves to even.
enum class Spacing {
  linspace,  ///< round(i (T-1) / (S-1)): from T-1 to 0; one step alone is T-1
  leading,   ///< i floor(T/S): from 0 up, T-1 left out
  trailing,  ///< round(T - i T/S) - 1: from T-1 down
};

/// The spacing of this name. Throws ConfigError with the nearest name.
Spacing spacing_named(std::string_view name);

/// One step of a sampler, from time step t to t_next.
struct TimeStep {
  std::int64_t number = 0;  ///< 0, 1 … S-1
  std::int64_t t = 0;
  std::int64_t t_next = -1;  ///< lower than t; -1 after the last: the image itself
};

/// The S = `steps` steps in the order in which they are taken, strictly descending. Throws
/// ConfigError unless 1 <= steps <= timesteps.
std::vector<TimeStep> time_steps(Spacing spacing, std::int64_t steps, std::int64_t timesteps);

}  // namespace effuse
