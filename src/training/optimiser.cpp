#include "training/optimiser.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <array>
#include <optional>

#include "core/error.hpp"
#include "core/named.hpp"
#include "core/text.hpp"
#include "kernels/fused_update.hpp"

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
               const Verdict& verdict, const at::Tensor& bad) {
  // The kernels read the step as fp32, whatever the type of the weights.
  const at::Tensor step = verdict.update.to(at::kFloat);
  kernel({state.parameters()}, {state.gradients()}, {state.moment(0)}, {state.moment(1)},
         /*max_exp_avg_sqs=*/{}, {step}, lr, config.beta1, config.beta2, weight_decay_of(config),
         config.eps, /*amsgrad=*/false, /*maximize=*/false, /*grad_scale=*/{}, bad);
}

void sgd_step(const FlatState& state, const OptimizerConfig& config, double lr,
              const at::Tensor& bad) {
  // From a buffer of zeros, PyTorch's first step is a step like any other. Without momentum the
  // kernel refuses a buffer.
  std::vector<at::Tensor> buffers;
  if (config.momentum > 0.0) buffers.push_back(state.moment(0));
  at::_fused_sgd_({state.parameters()}, {state.gradients()}, buffers, weight_decay_of(config),
                  config.momentum, lr, /*dampening=*/0.0, /*nesterov=*/false, /*maximize=*/false,
                  /*is_first_step=*/false, /*grad_scale=*/{}, bad);
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

namespace {

void update_weights_on_host(FlatState& state, const OptimizerConfig& config, const Update& update,
                            const Verdict& verdict) {
  if (verdict.good.item<double>() == 0.0) return;
  UpdateExtras extras{.grad_factor = verdict.grad_factor.item<double>(),
                      .average = state.average(),
                      .average_weight = 1.0 - update.ema_decay};
  if (state.network_type() != state.type()) extras.copy = state.network_parameters();
  const Optimiser optimiser = optimiser_named(config.name);
  if (optimiser == Optimiser::sgd) {
    const at::Tensor buffer = config.momentum > 0.0 ? state.moment(0) : at::Tensor();
    return sgd_update(state.parameters(), state.gradients(), buffer,
                      {update.lr, config.momentum, weight_decay_of(config)}, extras);
  }
  const AdamArguments arguments{
      .lr = update.lr,
      .beta1 = config.beta1,
      .beta2 = config.beta2,
      .eps = config.eps,
      .weight_decay = weight_decay_of(config),
      .decay = optimiser == Optimiser::adamw ? Decay::weights : Decay::gradient,
      .step = static_cast<std::int64_t>(verdict.update.item<double>())};
  adam_update(state.parameters(), state.gradients(), state.moment(0), state.moment(1), arguments,
              extras);
}

}  // namespace

void update_weights_on_device(FlatState& state, const OptimizerConfig& config, const Update& update,
                              const Verdict& verdict) {
  const at::NoGradGuard no_grad;
  const at::Tensor bad = (1 - verdict.good).to(at::kFloat);
  at::Tensor(state.gradients()).mul_(verdict.grad_factor);
  switch (optimiser_named(config.name)) {
    case Optimiser::adamw:
      adam_step(&at::_fused_adamw_, state, config, update.lr, verdict, bad);
      break;
    case Optimiser::adam:
      adam_step(&at::_fused_adam_, state, config, update.lr, verdict, bad);
      break;
    case Optimiser::sgd:
      sgd_step(state, config, update.lr, bad);
      break;
  }
  const at::Tensor weight = (verdict.good * (1.0 - update.ema_decay)).to(state.type());
  at::Tensor(state.average()).lerp_(state.parameters(), weight);
  state.publish();
}

void update_weights(FlatState& state, const OptimizerConfig& config, const Update& update,
                    const Verdict& verdict) {
  if (state.parameters().is_cpu()) {
    update_weights_on_host(state, config, update, verdict);
  } else {
    update_weights_on_device(state, config, update, verdict);
  }
}

}  // namespace effuse
