#include "training/lr_schedule.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace effuse {

double learning_rate(const OptimizerConfig& config, std::int64_t step, std::int64_t total_steps) {
  const std::int64_t warmup = config.warmup_steps;
  if (step < warmup) {
    return config.lr * static_cast<double>(step + 1) / static_cast<double>(warmup);
  }
  if (config.lr_schedule == "constant") return config.lr;
  // Progress of the descent: 0 at its first step, 1 at the last step of the run.
  const std::int64_t last = total_steps - 1 - warmup;
  const double progress =
      last <= 0 ? 1.0
                : std::min(1.0, static_cast<double>(step - warmup) / static_cast<double>(last));
  const double fall = config.lr_schedule == "linear"
                          ? 1.0 - progress
                          : 0.5 * (1.0 + std::cos(std::numbers::pi * progress));
  return config.lr * (config.final_lr_ratio + (1.0 - config.final_lr_ratio) * fall);
}

}  // namespace effuse
