#include "diffusion/forward_process.hpp"

#include <ATen/ATen.h>

#include "diffusion/tables.hpp"

namespace effuse {
ForwardProcess::ForwardProcess(const Schedule& schedule, at::Device device) {
  const at::Tensor alpha_bar = at::tensor(schedule.alpha_bar(), at::kDouble);
  signal_scale_ = alpha_bar.sqrt().to(device);
  noise_scale_ = (1.0 - alpha_bar).sqrt().to(device);
}

at::Tensor ForwardProcess::add_noise(const at::Tensor& x0, const at::Tensor& noise,
                                     const at::Tensor& t) const {
  return at::addcmul(look_up(signal_scale_, t, x0) * x0, look_up(noise_scale_, t, x0), noise);
}

}  // namespace effuse
