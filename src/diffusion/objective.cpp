#include "diffusion/objective.hpp"

#include <ATen/ATen.h>

#include <array>
#include <string>

#include "core/error.hpp"
#include "core/named.hpp"

namespace effuse {
namespace {

/// Weights of min-SNR for every time step, [T] float64.
at::Tensor min_snr_weights(Prediction prediction, const at::Tensor& alpha_bar, double gamma) {
  // For epsilon min(SNR, gamma) / SNR is written so that SNR may be 0.
  const at::Tensor snr = alpha_bar / (1.0 - alpha_bar);
  switch (prediction) {
    case Prediction::epsilon:
      return (gamma / snr).clamp_max(1.0);
    case Prediction::v_prediction:
      return snr.clamp_max(gamma) / (snr + 1.0);
    case Prediction::sample:
      return snr.clamp_max(gamma);
  }
  throw Error("unknown kind of prediction");
}

}  // namespace

Objective::Objective(const DiffusionConfig& config, const Schedule& schedule, at::Device device)
    : prediction_(prediction_named(config.prediction)),
      delta_(config.loss_delta),
      process_(schedule, device) {
  static const std::array<std::string, 4> losses = {"mse", "l1", "huber", "smooth_l1"};
  loss_ = static_cast<Loss>(place_of(config.loss, losses, "diffusion.loss"));
  if (config.min_snr_gamma > 0.0) {
    const at::Tensor alpha_bar = at::tensor(schedule.alpha_bar(), at::kDouble);
    weights_ = min_snr_weights(prediction_, alpha_bar, config.min_snr_gamma).to(device);
  }
}

at::Tensor Objective::target(const at::Tensor& x0, const at::Tensor& noise,
                             const at::Tensor& t) const {
  if (prediction_ == Prediction::epsilon) return noise;
  if (prediction_ == Prediction::sample) return x0;
  return process_.velocity(x0, noise, t);
}

at::Tensor Objective::elementwise(const at::Tensor& prediction, const at::Tensor& target) const {
  switch (loss_) {
    case Loss::mse:
      return (prediction - target).square();
    case Loss::l1:
      return at::l1_loss(prediction, target, at::Reduction::None);
    case Loss::huber:
      return at::huber_loss(prediction, target, at::Reduction::None, delta_);
    case Loss::smooth_l1:
      return at::smooth_l1_loss(prediction, target, at::Reduction::None, delta_);
  }
  throw Error("unknown loss");
}

at::Tensor Objective::loss(const at::Tensor& prediction, const at::Tensor& x0,
                           const at::Tensor& noise, const at::Tensor& t) const {
  const auto type = prediction.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  const at::Tensor per_image =
      elementwise(prediction.to(type), target(x0.to(type), noise.to(type), t)).flatten(1).mean(1);
  return weights_.defined() ? per_image * weights_.index_select(0, t).to(type) : per_image;
}

}  // namespace effuse
