#pragma once

#include <cstdint>

#include "config/config.hpp"

namespace effuse {

/// Decay of the average at `step` (from 1). 0, which makes the average a copy of the weights, for
/// the first ema.copy_steps steps; then ema.decay, which ema.warmup holds down to
/// (1 + step) / (10 + step). That counts from the start of the run and not from the end of the
/// copying: after many copied steps it has no effect left. IDDM's average is decay = 0.995,
/// warmup = false, copy_steps = 2000.
double ema_decay(const EmaConfig& config, std::int64_t step);

}  // namespace effuse
