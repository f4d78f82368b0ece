#include "diffusion/schedule.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <string>

#include "core/error.hpp"
#include "core/named.hpp"
#include "core/text.hpp"

namespace effuse {
namespace {

using Betas = std::vector<double>;

/// Equal steps from `first` to `last`, T of them.
Betas equal_steps(double first, double last, std::int64_t timesteps) {
  Betas values;
  for (std::int64_t t = 0; t < timesteps; ++t) {
    const double share =
        timesteps == 1 ? 0.0 : static_cast<double>(t) / static_cast<double>(timesteps - 1);
    values.push_back(first + (last - first) * share);
  }
  return values;
}

/// Equal steps from beta_start to beta_end (Ho et al. 2020).
Betas linear_betas(const DiffusionConfig& config) {
  return equal_steps(config.beta_start, config.beta_end, config.timesteps);
}

/// Equal steps of sqrt(beta) (Rombach et al. 2022).
Betas scaled_linear_betas(const DiffusionConfig& config) {
  Betas betas =
      equal_steps(std::sqrt(config.beta_start), std::sqrt(config.beta_end), config.timesteps);
  for (double& beta : betas) beta *= beta;
  return betas;
}

/// Roots of equal steps: IDDM's "sqrt".
Betas sqrt_betas(const DiffusionConfig& config) {
  Betas betas = linear_betas(config);
  for (double& beta : betas) beta = std::sqrt(beta);
  return betas;
}

/// alpha_bar(u) = cos^2((u + 0.008) / 1.008 * pi / 2), betas at most 0.999 (Nichol & Dhariwal
/// 2021), as diffusers' squaredcos_cap_v2 computes them.
Betas cosine_betas(const DiffusionConfig& config) {
  const auto alpha_bar = [&](std::int64_t i) {
    const double u = static_cast<double>(i) / static_cast<double>(config.timesteps);
    const double cosine = std::cos((u + 0.008) / 1.008 * std::numbers::pi / 2);
    return cosine * cosine;
  };
  Betas betas;
  for (std::int64_t t = 0; t < config.timesteps; ++t) {
    betas.push_back(std::min(1.0 - alpha_bar(t + 1) / alpha_bar(t), 0.999));
  }
  return betas;
}

Betas betas_of(const DiffusionConfig& config) {
  using Maker = Betas (*)(const DiffusionConfig&);
  static const std::array<std::string, 6> names = {
      "linear", "cosine", "squaredcos_cap_v2", "scaled_linear", "sqrt_linear", "sqrt"};
  static const std::array<Maker, 6> makers = {linear_betas,        cosine_betas,
                                              cosine_betas,        scaled_linear_betas,
                                              scaled_linear_betas, sqrt_betas};
  return makers[place_of(config.schedule, names, "diffusion.schedule")](config);
}

Betas products_of(const Betas& betas, const std::string& schedule) {
  Betas alpha_bar;
  double product = 1.0;
  for (const double beta : betas) {
    if (!(beta > 0.0 && beta < 1.0)) {
      throw ConfigError(cat("diffusion.schedule \"", schedule, "\" has a beta of ", beta,
                            ", outside (0, 1); check diffusion.beta_start and diffusion.beta_end"));
    }
    product *= 1.0 - beta;
    alpha_bar.push_back(product);
  }
  return alpha_bar;
}

/// What cannot be represented in fp32 cannot be divided by either.
void require_signal(const DiffusionConfig& config, double last) {
  if (last >= std::numeric_limits<float>::min()) return;
  throw ConfigError(cat("diffusion.schedule \"", config.schedule, "\" ends at an alpha-bar of ",
                        last,
                        ", which underflows in fp32 (its last time steps hold no signal that "
                        "could be found again). Use cosine or scaled_linear, or clip it with "
                        "diffusion.min_alpha_bar = 1e-5."));
}

/// sqrt(alpha_bar) shifted and scaled so that the first stays and the last is 0 (Lin et al. 2023,
/// algorithm 1).
void end_in_pure_noise(Betas& alpha_bar) {
  const double first = std::sqrt(alpha_bar.front());
  const double last = std::sqrt(alpha_bar.back());
  for (double& value : alpha_bar) {
    const double signal = (std::sqrt(value) - last) * first / (first - last);
    value = signal * signal;
  }
  alpha_bar.back() = 0.0;
}

void require_compatible(const DiffusionConfig& config) {
  if (config.timesteps < 1) {
    throw ConfigError(cat("diffusion.timesteps is ", config.timesteps, "; it must be at least 1"));
  }
  if (!config.zero_terminal_snr) return;
  if (config.prediction == "epsilon") {
    throw ConfigError(
        "diffusion.zero_terminal_snr makes the last time step pure noise, whose noise is the input "
        "itself (predicting it teaches nothing of the image). Set diffusion.prediction to "
        "v_prediction or sample.");
  }
  if (config.min_alpha_bar > 0.0) {
    throw ConfigError(
        "diffusion.zero_terminal_snr and diffusion.min_alpha_bar contradict one another (an "
        "alpha-bar of 0 is wanted, and clipped). Choose one.");
  }
}

}  // namespace

Schedule::Schedule(const DiffusionConfig& config) {
  require_compatible(config);
  const Betas betas = betas_of(config);
  alpha_bar_ = products_of(betas, config.schedule);
  if (config.min_alpha_bar <= 0.0) require_signal(config, alpha_bar_.back());
  for (double& value : alpha_bar_) value = std::max(value, config.min_alpha_bar);
  if (config.zero_terminal_snr) end_in_pure_noise(alpha_bar_);
  for (std::int64_t t = 0; t < size(); ++t) betas_.push_back(1.0 - alpha_bar(t) / alpha_bar(t - 1));
  fp32_ = tables_in_fp32(config, betas);
}

Schedule Schedule::rounded_to_fp32() const {
  Schedule rounded = *this;
  rounded.alpha_bar_ = fp32_.alpha_bar;
  rounded.betas_ = fp32_.betas;
  return rounded;
}

}  // namespace effuse
