#include "training/average.hpp"

#include <algorithm>

namespace effuse {

double ema_decay(const EmaConfig& config, std::int64_t step) {
  if (step <= config.copy_steps) return 0.0;
  if (!config.warmup) return config.decay;
  const auto n = static_cast<double>(step);
  return std::min(config.decay, (1.0 + n) / (10.0 + n));
}

}  // namespace effuse
