#include "diffusion/estimate.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

namespace effuse {

at::Tensor scalar(double value, const at::Tensor& x) {
  return at::scalar_tensor(value, at::TensorOptions(x.scalar_type()));
}

at::Tensor ask(const Denoiser& denoiser, const at::Tensor& x, std::int64_t t) {
  return denoiser(x, t).to(x.scalar_type());
}

at::Tensor estimate_image(Prediction kind, Clip clip, const at::Tensor& x, const at::Tensor& output,
                          double alpha_bar) {
  const at::Tensor image = image_from(kind, x, output, alpha_bar);
  return clip == Clip::yes ? image.clamp(-1, 1) : image;
}

at::Tensor move(const at::Tensor& image, const at::Tensor& noise, double alpha_bar_to,
                double deviation) {
  const double direction = std::sqrt(std::max(0.0, 1.0 - alpha_bar_to - deviation * deviation));
  return at::mul(image, std::sqrt(alpha_bar_to)).add_(noise, direction);
}

}  // namespace effuse
