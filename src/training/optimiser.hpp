#pragma once

#include <string>
#include <vector>

#include "config/config.hpp"
#include "training/flat_state.hpp"
#include "training/step_control.hpp"

namespace effuse {

/// What the optimiser of optimizer.name remembers of each weight, by PyTorch's names: "exp_avg" and
/// "exp_avg_sq" for adam and adamw, "momentum_buffer" for sgd with momentum, nothing without.
/// Throws ConfigError for another name.
std::vector<std::string> moments_of(const OptimizerConfig& config);

/// optimizer.weight_decay, -1 being PyTorch's default: 0.01 for adamw, 0 for adam and sgd. Throws
/// ConfigError for other negative numbers.
double weight_decay_of(const OptimizerConfig& config);

/// How a step changes the weights, besides what its verdict says.
struct Update {
  double lr = 0.0;
  double ema_decay = 0.0;
};

/// One step of PyTorch's optimiser of that name, AdamW (Loshchilov & Hutter 2019: decay of the
/// weights themselves), Adam (Kingma & Ba 2015) or SGD with momentum (no dampening, not
/// Nesterov's), the last two with the decay added to the gradient; then the average, as decay *
/// average + (1 - decay) * weights; then the weights are published. A step that is not good changes
/// nothing. The state was made with moments_of(config); its gradients may be overwritten.
///
/// On the CPU this is one pass over memory; elsewhere a few kernels of libtorch's, none of which
/// the host waits for.
void update_weights(FlatState& state, const OptimizerConfig& config, const Update& update,
                    const Verdict& verdict);

/// The same by libtorch's kernels, on any device.
void update_weights_on_device(FlatState& state, const OptimizerConfig& config, const Update& update,
                              const Verdict& verdict);

}  // namespace effuse
