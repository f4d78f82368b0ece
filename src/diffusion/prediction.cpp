#include "diffusion/prediction.hpp"

#include <ATen/ATen.h>

#include <array>
#include <cmath>
#include <string>

#include "core/error.hpp"
#include "core/named.hpp"

namespace effuse {

Prediction prediction_named(std::string_view name) {
  static const std::array<std::string, 3> names = {"epsilon", "v_prediction", "sample"};
  return static_cast<Prediction>(place_of(name, names, "diffusion.prediction"));
}

at::Tensor image_from(Prediction kind, const at::Tensor& x_t, const at::Tensor& output,
                      double alpha_bar) {
  const double signal = std::sqrt(alpha_bar);
  const double sigma = std::sqrt(1.0 - alpha_bar);
  switch (kind) {
    case Prediction::epsilon:
      return at::sub(x_t, output, sigma).div_(signal);
    case Prediction::v_prediction:
      return at::mul(x_t, signal).sub_(output, sigma);
    case Prediction::sample:
      return output;
  }
  throw Error("unknown kind of prediction");
}

at::Tensor noise_from(Prediction kind, const at::Tensor& x_t, const at::Tensor& output,
                      double alpha_bar) {
  const double signal = std::sqrt(alpha_bar);
  const double sigma = std::sqrt(1.0 - alpha_bar);
  switch (kind) {
    case Prediction::epsilon:
      return output;
    case Prediction::v_prediction:
      return at::mul(output, signal).add_(x_t, sigma);
    case Prediction::sample:
      return at::sub(x_t, output, signal).div_(sigma);
  }
  throw Error("unknown kind of prediction");
}

}  // namespace effuse
