#include "diffusion/forward_process.hpp"

#include <ATen/ATen.h>

namespace effuse {
namespace {

/// table[t] as [N, 1, 1, 1] of the type of `like`. table: [T]; t: [N] int64.
at::Tensor look_up(const at::Tensor& table, const at::Tensor& t, const at::Tensor& like) {
  return table.index_select(0, t).to(like.scalar_type()).view({-1, 1, 1, 1});
}

}  // namespace
ForwardProcess::ForwardProcess(const Schedule& schedule, at::Device device) {
  const at::Tensor alpha_bar = at::tensor(schedule.alpha_bar(), at::kDouble);
  signal_scale_ = alpha_bar.sqrt().to(device);
  noise_scale_ = (1.0 - alpha_bar).sqrt().to(device);
}

at::Tensor ForwardProcess::add_noise(const at::Tensor& x0, const at::Tensor& noise,
                                     const at::Tensor& t) const {
  return at::addcmul(look_up(signal_scale_, t, x0) * x0, look_up(noise_scale_, t, x0), noise);
}

at::Tensor ForwardProcess::velocity(const at::Tensor& x0, const at::Tensor& noise,
                                    const at::Tensor& t) const {
  return look_up(signal_scale_, t, noise) * noise - look_up(noise_scale_, t, x0) * x0;
}

}  // namespace effuse
