#include "training/average.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>

namespace effuse {

double ema_decay(const EmaConfig& config, std::int64_t step) {
  if (step <= config.copy_steps) return 0.0;
  if (!config.warmup) return config.decay;
  const auto n = static_cast<double>(step);
  return std::min(config.decay, (1.0 + n) / (10.0 + n));
}

void update_average(const FlatState& state, double decay) {
  const at::NoGradGuard no_grad;
  at::Tensor(state.average()).lerp_(state.parameters(), 1.0 - decay);
}

}  // namespace effuse
