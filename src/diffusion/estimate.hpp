#pragma once

#include <ATen/core/Tensor.h>

#include "diffusion/denoiser.hpp"
#include "diffusion/sampler_settings.hpp"
#include "diffusion/step_plan.hpp"

namespace effuse {

/// A tensor without dimensions, of the type of x: for arithmetic that rounds its scalars as it
/// rounds x.
at::Tensor scalar(double value, const at::Tensor& x);

/// What the denoiser says at a step, in the type of x.
at::Tensor ask(const Denoiser& denoiser, const at::Tensor& x, std::int64_t t);

/// x_0 from the denoiser's output for x at alpha_bar, clamped to [-1, 1] where wanted.
at::Tensor estimate_image(Prediction kind, Clip clip, const at::Tensor& x, const at::Tensor& output,
                          double alpha_bar);

/// The deterministic step of DDIM (Song et al. 2021, formula 12 without noise):
/// sqrt(to) image + direction · noise, with direction = sqrt(1 - to - deviation²).
at::Tensor move(const at::Tensor& image, const at::Tensor& noise, double alpha_bar_to,
                double deviation = 0.0);

}  // namespace effuse
