#include "training/step_control.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

namespace effuse {
namespace {

enum Which { kScale, kCleanSteps, kUpdates, kNormAverage, kNormCount };

/// Norms fall fast at first; before so many of them nothing is a spike.
constexpr double kSettled = 100;

/// Weight of a new norm in the average.
constexpr double kMemory = 0.02;

/// Not below: a loss that overflows unscaled is bad, not scaled badly.
constexpr double kSmallestScale = 1;
constexpr double kLargestScale = 16777216;

}  // namespace

StepControl::StepControl(const Config& config, at::Device device)
    : scales_(config.precision.compute == "fp16"),
      first_scale_(scales_ ? config.precision.loss_scale : 1.0),
      growth_steps_(static_cast<double>(config.precision.loss_scale_growth_steps)),
      spike_factor_(config.recovery.spike_factor),
      max_norm_(config.optimizer.grad_clip),
      values_(at::zeros({5}, at::TensorOptions(device).dtype(at::kDouble))) {
  restore({});
}

at::Tensor StepControl::loss_scale() const { return scales_ ? value(kScale) : at::Tensor(); }

Verdict StepControl::judge(const at::Tensor& gradients, const at::Tensor& loss) {
  const at::NoGradGuard no_grad;
  Verdict verdict;
  verdict.loss_scale = value(kScale).clone();
  const at::Tensor sum = at::linalg_vector_norm(gradients, 2, std::nullopt, false, at::kDouble);
  const at::Tensor& norm = verdict.grad_norm = sum / verdict.loss_scale;
  const at::Tensor finite = at::isfinite(norm).logical_and(at::isfinite(loss));
  at::Tensor good = finite;
  if (spike_factor_ > 0) {
    const at::Tensor calm = norm.le(value(kNormAverage) * spike_factor_);
    good = good.logical_and(calm.logical_or(value(kNormCount).lt(kSettled)));
  }
  verdict.good = good.to(at::kDouble);
  verdict.grad_factor = verdict.loss_scale.reciprocal();
  if (max_norm_ > 0) {
    verdict.grad_factor = verdict.grad_factor * (max_norm_ / (norm + 1e-6)).clamp_max(1.0);
  }
  if (scales_) update_loss_scale(finite);
  update_average(good, norm);
  verdict.update = value(kUpdates) + 1;
  value(kUpdates).add_(verdict.good);
  return verdict;
}

void StepControl::update_loss_scale(const at::Tensor& finite) {
  const at::Tensor clean = at::where(finite, value(kCleanSteps) + 1, 0.0);
  const at::Tensor grows = clean.ge(growth_steps_);
  const at::Tensor factor = at::where(finite, at::where(grows, 2.0, 1.0).to(at::kDouble), 0.5);
  value(kScale).mul_(factor).clamp_(kSmallestScale, kLargestScale);
  value(kCleanSteps).copy_(at::where(grows, 0.0, clean));
}

void StepControl::update_average(const at::Tensor& good, const at::Tensor& norm) {
  const at::Tensor average = value(kNormAverage);
  const at::Tensor next =
      at::where(value(kNormCount).eq(0), norm, average + (norm - average) * kMemory);
  average.copy_(at::where(good, next, average));
  value(kNormCount).add_(good);
}

ControlState StepControl::state() const {
  const at::Tensor values = values_.cpu();
  const auto* v = values.const_data_ptr<double>();
  return {.loss_scale = scales_ ? v[kScale] : 0.0,
          .clean_steps = static_cast<std::int64_t>(v[kCleanSteps]),
          .updates = static_cast<std::int64_t>(v[kUpdates]),
          .norm_average = v[kNormAverage],
          .norm_count = static_cast<std::int64_t>(v[kNormCount]),
          .lr_factor = lr_factor_,
          .restores = restores_};
}

void StepControl::restore(const ControlState& state) {
  const at::NoGradGuard no_grad;
  const bool goes_on = scales_ && state.loss_scale > 0.0;
  values_.copy_(at::tensor(
      {goes_on ? state.loss_scale : first_scale_,
       goes_on ? static_cast<double>(state.clean_steps) : 0.0, static_cast<double>(state.updates),
       state.norm_average, static_cast<double>(state.norm_count)},
      at::kDouble));
  lr_factor_ = state.lr_factor;
  restores_ = state.restores;
}

}  // namespace effuse
