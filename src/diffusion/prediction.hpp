#pragma once

#include <ATen/core/Tensor.h>

#include <string_view>

namespace effuse {

/// What a network predicts of x_t = sqrt(ab) x_0 + sqrt(1 - ab) epsilon, ab being alpha_bar_t.
enum class Prediction {
  epsilon,       ///< the noise (Ho et al. 2020)
  v_prediction,  ///< v = sqrt(ab) epsilon - sqrt(1 - ab) x_0 (Salimans & Ho 2022)
  sample,        ///< the image x_0
};

/// The prediction of this name. Throws ConfigError naming diffusion.prediction and the nearest
/// name.
Prediction prediction_named(std::string_view name);

/// x_0 from a network's output for x_t, not clamped; both [N, C, H, W]. Not for epsilon where
/// alpha_bar is 0: pure noise says nothing of the image.
at::Tensor image_from(Prediction kind, const at::Tensor& x_t, const at::Tensor& output,
                      double alpha_bar);

/// epsilon from a network's output for x_t; both [N, C, H, W]. Not for `sample` where alpha_bar
/// is 1.
at::Tensor noise_from(Prediction kind, const at::Tensor& x_t, const at::Tensor& output,
                      double alpha_bar);

}  // namespace effuse
