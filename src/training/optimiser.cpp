#include "training/optimiser.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <array>
#include <optional>

#include "core/error.hpp"
#include "core/named.hpp"
#include "core/text.hpp"

namespace effuse {
namespace {

enum class Optimiser { adamw, adam, sgd };

Optimiser optimiser_named(const std::string& name) {
  static const std::array<std::string, 3> names = {"adamw", "adam", "sgd"};
  return static_cast<Optimiser>(place_of(name, names, "optimizer.name"));
}

/// at::_fused_adamw_ or at::_fused_adam_: they differ in how they use the decay.
using AdamKernel = void(at::TensorList, at::TensorList, at::TensorList, at::TensorList,
                        at::TensorList, at::TensorList, double, double, double, double, double,
                        bool, bool, const std::optional<at::Tensor>&,
                        const std::optional<at::Tensor>&);

void adam_step(AdamKernel* kernel, const FlatState& state, const OptimizerConfig& config, double lr,
               std::int64_t step) {
  // The kernels read the step as fp32, whatever the type of the weights.
  const at::Tensor steps =
      at::full({}, static_cast<double>(step), state.parameters().options().dtype(at::kFloat));
  kernel({state.parameters()}, {state.gradients()}, {state.moment(0)}, {state.moment(1)},
         /*max_exp_avg_sqs=*/{}, {steps}, lr, config.beta1, config.beta2, weight_decay_of(config),
         config.eps, /*amsgrad=*/false, /*maximize=*/false, /*grad_scale=*/{}, /*found_inf=*/{});
}

void sgd_step(const FlatState& state, const OptimizerConfig& config, double lr) {
  // From a buffer of zeros, PyTorch's first step is a step like any other. Without momentum the
  // kernel refuses a buffer.
  std::vector<at::Tensor> buffers;
  if (config.momentum > 0.0) buffers.push_back(state.moment(0));
  at::_fused_sgd_({state.parameters()}, {state.gradients()}, buffers, weight_decay_of(config),
                  config.momentum, lr, /*dampening=*/0.0, /*nesterov=*/false, /*maximize=*/false,
                  /*is_first_step=*/false);
}

}  // namespace

std::vector<std::string> moments_of(const OptimizerConfig& config) {
  if (optimiser_named(config.name) != Optimiser::sgd) return {"exp_avg", "exp_avg_sq"};
  if (config.momentum > 0.0) return {"momentum_buffer"};
  return {};
}

double weight_decay_of(const OptimizerConfig& config) {
  if (config.weight_decay >= 0.0) return config.weight_decay;
  if (config.weight_decay != -1.0) {
    throw ConfigError(cat("optimizer.weight_decay is ", config.weight_decay,
                          " (a negative decay would make weights grow). Give 0 or more, or -1 for "
                          "PyTorch's default."));
  }
  return optimiser_named(config.name) == Optimiser::adamw ? 0.01 : 0.0;
}

void optimiser_step(const FlatState& state, const OptimizerConfig& config, double lr,
                    std::int64_t step) {
  const at::NoGradGuard no_grad;
  switch (optimiser_named(config.name)) {
    case Optimiser::adamw:
      return adam_step(&at::_fused_adamw_, state, config, lr, step);
    case Optimiser::adam:
      return adam_step(&at::_fused_adam_, state, config, lr, step);
    case Optimiser::sgd:
      return sgd_step(state, config, lr);
  }
}

}  // namespace effuse
