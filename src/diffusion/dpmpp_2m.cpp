#include "diffusion/dpmpp_2m.hpp"

#include <ATen/ATen.h>

#include <cmath>
#include <utility>

#include "diffusion/estimate.hpp"

namespace effuse {
namespace {

/// Half the logarithm of the signal-to-noise ratio; infinite at pure noise and at the image.
double lambda(double alpha_bar) { return 0.5 * (std::log(alpha_bar) - std::log1p(-alpha_bar)); }

}  // namespace

at::Tensor Dpmpp2mRule::advance(const at::Tensor& x, const SamplerStep& step,
                                const Denoiser& denoiser, const StepNoise&) {
  const auto [from, to] = step.levels;
  if (from == to) return x;  // a schedule that is clipped stands still
  const at::Tensor image = estimate_image(prediction_, clip_, x, ask(denoiser, x, step.t), from);
  const double growth = lambda(to) - lambda(from);
  at::Tensor direction = image;
  if (image_before_.defined() && to < 1.0) {
    const double half_inverse_r = 0.5 * growth / growth_before_;
    direction = at::mul(image, 1.0 + half_inverse_r).sub_(image_before_, half_inverse_r);
  }
  image_before_ = image;
  growth_before_ = growth;
  const double shrink = std::sqrt((1.0 - to) / (1.0 - from));
  return at::mul(x, shrink).add_(direction, std::sqrt(to) - shrink * std::sqrt(from));
}

}  // namespace effuse
