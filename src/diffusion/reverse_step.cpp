#include "diffusion/reverse_step.hpp"

#include <ATen/ATen.h>

#include <cmath>

namespace effuse {

at::Tensor predict_noise(const Denoiser& denoiser, const at::Tensor& x, std::int64_t t) {
  return denoiser(x, t).to(x.scalar_type());
}

at::Tensor predict_image(const at::Tensor& x, const at::Tensor& epsilon, double alpha_bar) {
  return at::sub(x, epsilon, std::sqrt(1.0 - alpha_bar)).div_(std::sqrt(alpha_bar)).clamp_(-1, 1);
}

}  // namespace effuse
