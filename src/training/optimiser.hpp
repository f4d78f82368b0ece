#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "training/flat_state.hpp"

namespace effuse {

/// What the optimiser of optimizer.name remembers of each weight, by PyTorch's names: "exp_avg" and
/// "exp_avg_sq" for adam and adamw, "momentum_buffer" for sgd with momentum, nothing without.
/// Throws ConfigError for another name.
std::vector<std::string> moments_of(const OptimizerConfig& config);

/// optimizer.weight_decay, -1 being PyTorch's default: 0.01 for adamw, 0 for adam and sgd. Throws
/// ConfigError for other negative numbers.
double weight_decay_of(const OptimizerConfig& config);

/// One step of PyTorch's optimiser of that name over the flat buffers, with libtorch's fused
/// kernels: AdamW (Loshchilov & Hutter 2019: decay of the weights themselves), Adam (Kingma & Ba
/// 2015) or SGD with momentum (no dampening, not Nesterov's), the last two with the decay added to
/// the gradient. `step` counts from 1, as the bias corrections need it. The state was made with
/// moments_of(config).
void optimiser_step(const FlatState& state, const OptimizerConfig& config, double lr,
                    std::int64_t step);

}  // namespace effuse
