#pragma once

#include <ATen/core/Tensor.h>

#include "diffusion/schedule.hpp"

namespace effuse {

/// The forward process of one schedule on one device: the tables it looks up stay there.
class ForwardProcess {
 public:
  explicit ForwardProcess(const Schedule& schedule, at::Device device = at::kCPU);

  /// x_t = sqrt(alpha_bar_t) x_0 + sqrt(1 - alpha_bar_t) noise, [N, C, H, W] of the type of x0.
  /// x0, noise: [N, C, H, W]; t: [N] int64 in 0 … T-1; all on this object's device.
  at::Tensor add_noise(const at::Tensor& x0, const at::Tensor& noise, const at::Tensor& t) const;

  /// v = sqrt(alpha_bar_t) noise - sqrt(1 - alpha_bar_t) x_0 (Salimans & Ho 2022), as add_noise().
  at::Tensor velocity(const at::Tensor& x0, const at::Tensor& noise, const at::Tensor& t) const;

 private:
  at::Tensor signal_scale_;  ///< [T] float64, sqrt(alpha_bar)
  at::Tensor noise_scale_;   ///< [T] float64, sqrt(1 - alpha_bar)
};

}  // namespace effuse
