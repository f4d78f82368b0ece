#include "diffusion/diffusers_arithmetic.hpp"

#include <ATen/ATen.h>

#include "core/error.hpp"
#include "diffusion/estimate.hpp"

namespace effuse {
namespace {

/// A noise level as the solver sees it.
struct Level {
  Level(double alpha_bar, const at::Tensor& x) {
    const at::Tensor ab = scalar(alpha_bar, x);
    const at::Tensor ratio = ((1 - ab) / ab).pow(0.5);
    alpha = 1 / (ratio.square() + 1).pow(0.5);
    sigma = ratio * alpha;
    lambda = alpha.log() - sigma.log();
  }

  at::Tensor alpha, sigma, lambda;
};

at::Tensor image_at(Prediction kind, const at::Tensor& x, const at::Tensor& output,
                    const Level& level) {
  switch (kind) {
    case Prediction::epsilon:
      return (x - level.sigma * output) / level.alpha;
    case Prediction::v_prediction:
      return level.alpha * x - level.sigma * output;
    case Prediction::sample:
      return output;
  }
  throw Error("unknown kind of prediction");
}

}  // namespace

at::Tensor diffusers_plms_transfer(const at::Tensor& x, const at::Tensor& epsilon,
                                   const Levels& levels) {
  const at::Tensor from = scalar(levels.from, x);
  const at::Tensor to = scalar(levels.to, x);
  const at::Tensor x_weight = (to / from).pow(0.5);
  const at::Tensor denominator = from * (1 - to).pow(0.5) + (from * (1 - from) * to).pow(0.5);
  return x_weight * x - (to - from) * epsilon / denominator;
}

at::Tensor DiffusersDpmpp2mRule::advance(const at::Tensor& x, const SamplerStep& step,
                                         const Denoiser& denoiser, const StepNoise&) {
  const Level from(step.levels.from, x);
  const Level to(step.levels.to, x);
  const at::Tensor image = image_at(prediction_, x, ask(denoiser, x, step.t), from);
  const at::Tensor growth = to.lambda - from.lambda;
  const at::Tensor weight = to.alpha * ((-growth).exp() - 1.0);
  at::Tensor next = (to.sigma / from.sigma) * x - weight * image;
  if (image_before_.defined() && step.levels.to < 1.0) {
    const at::Tensor slope = (1.0 / (growth_before_ / growth)) * (image - image_before_);
    next = next - 0.5 * weight * slope;
  }
  image_before_ = image;
  growth_before_ = growth;
  return next;
}

}  // namespace effuse
