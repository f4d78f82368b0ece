#include "diffusion/schedule_fp32.hpp"

#include <ATen/ATen.h>

#include <cmath>

namespace effuse {
namespace {

at::Tensor betas_in_fp32(const DiffusionConfig& config, const std::vector<double>& exact_betas) {
  const auto steps = [&](double first, double last) {
    return at::linspace(first, last, config.timesteps, at::kFloat);
  };
  if (config.schedule == "linear") return steps(config.beta_start, config.beta_end);
  if (config.schedule == "sqrt") return steps(config.beta_start, config.beta_end).sqrt();
  if (config.schedule == "scaled_linear" || config.schedule == "sqrt_linear") {
    return steps(std::sqrt(config.beta_start), std::sqrt(config.beta_end)).square();
  }
  return at::tensor(exact_betas, at::kDouble).to(at::kFloat);  // cosine: computed in float64
}

/// diffusers' rescale_zero_terminal_snr, with its way through the betas.
at::Tensor rescaled(const at::Tensor& alpha_bar) {
  const at::Tensor signal = alpha_bar.sqrt();
  const at::Tensor first = signal[0];
  const at::Tensor last = signal[-1];
  const at::Tensor squared = ((signal - last) * (first / (first - last))).square();
  const at::Tensor alphas =
      at::cat({squared.narrow(0, 0, 1), squared.slice(0, 1) / squared.slice(0, 0, -1)});
  return at::cumprod(alphas, 0);
}

std::vector<double> numbers(const at::Tensor& tensor) {
  const at::Tensor values = tensor.to(at::kDouble).contiguous();
  const double* begin = values.const_data_ptr<double>();
  return {begin, begin + values.numel()};
}

}  // namespace

Fp32Tables tables_in_fp32(const DiffusionConfig& config, const std::vector<double>& exact_betas) {
  const at::Tensor betas = betas_in_fp32(config, exact_betas);
  at::Tensor alpha_bar = at::cumprod(1.0F - betas, 0);
  if (config.zero_terminal_snr) alpha_bar = rescaled(alpha_bar);
  return {numbers(betas), numbers(alpha_bar.clamp_min(config.min_alpha_bar))};
}

}  // namespace effuse
