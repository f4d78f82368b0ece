#pragma once

#include <ATen/core/Tensor.h>

#include "config/config.hpp"
#include "diffusion/forward_process.hpp"
#include "diffusion/prediction.hpp"
#include "diffusion/schedule.hpp"

namespace effuse {

/// What training minimises: for every image, the mean over its elements of loss(prediction,
/// target), times the weight of its time step. The target is the noise, v or the image
/// (diffusion.prediction); the loss is mse, l1, huber or smooth_l1 as PyTorch defines them, with
/// diffusion.loss_delta for its delta and beta.
///
/// diffusion.min_snr_gamma > 0 weights by the signal-to-noise ratio SNR = ab / (1 - ab) (Hang et
/// al. 2023): min(SNR, gamma) in terms of the image, which is min(SNR, gamma) / SNR for epsilon and
/// min(SNR, gamma) / (SNR + 1) for v.
class Objective {
 public:
  /// Throws ConfigError for names that are not known.
  Objective(const DiffusionConfig& config, const Schedule& schedule, at::Device device = at::kCPU);

  /// [N], fp32 (fp64 where the prediction is). prediction, x0, noise: [N, C, H, W]; t: [N] int64 in
  /// 0 … T-1; all on this object's device.
  at::Tensor loss(const at::Tensor& prediction, const at::Tensor& x0, const at::Tensor& noise,
                  const at::Tensor& t) const;

 private:
  at::Tensor target(const at::Tensor& x0, const at::Tensor& noise, const at::Tensor& t) const;
  at::Tensor elementwise(const at::Tensor& prediction, const at::Tensor& target) const;

  enum class Loss { mse, l1, huber, smooth_l1 };

  Prediction prediction_;
  Loss loss_;
  double delta_;
  ForwardProcess process_;
  at::Tensor weights_;  ///< [T] float64; undefined: all 1
};

}  // namespace effuse
