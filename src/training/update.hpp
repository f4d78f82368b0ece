#pragma once

#include <cstdint>

#include "config/config.hpp"
#include "training/flat_state.hpp"

namespace effuse {

/// Global L2 norm of the gradients, in float64.
double gradient_norm(const FlatState& state);

/// Scales the gradients down to a norm of at most `max_norm` (0: no limit); `norm` is their present
/// norm.
void clip_gradients(const FlatState& state, double norm, double max_norm);

/// One AdamW step (Loshchilov and Hutter 2019, decoupled decay) over the flat buffers with
/// libtorch's fused kernel. `step` counts from 1, as the bias corrections need it.
void adamw_step(const FlatState& state, const OptimizerConfig& config, double lr,
                std::int64_t step);

/// Decay of the average at `step` (from 1): the configured one, reached through
/// (1 + step) / (10 + step) where warm-up is on.
double ema_decay(const EmaConfig& config, std::int64_t step);

/// average = decay · average + (1 − decay) · parameters.
void update_average(const FlatState& state, double decay);

}  // namespace effuse
