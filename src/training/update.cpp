#include "training/update.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>

namespace effuse {

double gradient_norm(const FlatState& state) {
  const at::NoGradGuard no_grad;
  return at::linalg_vector_norm(state.gradients(), 2, std::nullopt, false, at::kDouble)
      .item<double>();
}

void clip_gradients(const FlatState& state, double norm, double max_norm) {
  if (max_norm <= 0.0 || norm <= max_norm) return;
  at::Tensor(state.gradients()).mul_(max_norm / norm);
}

void adamw_step(const FlatState& state, const OptimizerConfig& config, double lr,
                std::int64_t step) {
  const at::NoGradGuard no_grad;
  const at::Tensor steps = at::full({}, static_cast<double>(step), state.parameters().options());
  at::_fused_adamw_({state.parameters()}, {state.gradients()}, {state.first_moment()},
                    {state.second_moment()}, /*max_exp_avg_sqs=*/{}, {steps}, lr, config.beta1,
                    config.beta2, config.weight_decay, config.eps, /*amsgrad=*/false,
                    /*maximize=*/false);
}

double ema_decay(const EmaConfig& config, std::int64_t step) {
  if (!config.warmup) return config.decay;
  const auto n = static_cast<double>(step);
  return std::min(config.decay, (1.0 + n) / (10.0 + n));
}

void update_average(const FlatState& state, double decay) {
  const at::NoGradGuard no_grad;
  at::Tensor(state.average()).lerp_(state.parameters(), 1.0 - decay);
}

}  // namespace effuse
