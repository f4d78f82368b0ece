#pragma once

#include <ATen/ATen.h>

#include <array>
#include <cmath>
#include <optional>
#include <vector>

#include "diffusion/update_rule.hpp"

namespace effuse::testing_support {

/// Pixels that are independently of one of two kinds: a distribution whose exact score is known at
/// every noise level and is not linear.
class GaussianMixture {
 public:
  /// The exact noise prediction -sqrt(1 - ab) times the score of the mixture after noising.
  at::Tensor noise(const at::Tensor& x, double alpha_bar) const {
    at::Tensor density = at::zeros_like(x);
    at::Tensor pull = at::zeros_like(x);
    for (const Component& c : components_) {
      const double variance = alpha_bar * c.deviation * c.deviation + 1 - alpha_bar;
      const at::Tensor distance = x - std::sqrt(alpha_bar) * c.mean;
      const at::Tensor likelihood =
          c.weight / std::sqrt(variance) * (distance.square() / (-2 * variance)).exp();
      density += likelihood;
      pull += likelihood * distance / variance;
    }
    return std::sqrt(1 - alpha_bar) * pull / density;
  }

 private:
  struct Component {
    double weight, mean, deviation;
  };

  std::array<Component, 2> components_{{{0.4, -0.5, 0.2}, {0.6, 0.4, 0.3}}};
};

/// alpha_bar at `intervals` + 1 levels, from `first` to `last` in equal steps of lambda =
/// log(sqrt(ab) / sqrt(1 - ab)): the steps for which the orders of solvers are published.
inline std::vector<double> equal_lambda_levels(double first, double last, std::int64_t intervals) {
  const auto lambda = [](double ab) { return 0.5 * std::log(ab / (1 - ab)); };
  std::vector<double> levels;
  for (std::int64_t i = 0; i <= intervals; ++i) {
    const double share = static_cast<double>(i) / static_cast<double>(intervals);
    const double at = lambda(first) + (lambda(last) - lambda(first)) * share;
    levels.push_back(1 / (1 + std::exp(-2 * at)));
  }
  return levels;
}

/// x at the last of `levels`, from x at the first, by the update rule of `settings`.
inline at::Tensor solve(const SamplerSettings& settings, const GaussianMixture& mixture,
                        const std::vector<double>& levels, at::Tensor x) {
  const auto rule = make_update_rule(settings);
  const Denoiser exact = [&](const at::Tensor& at_level, std::int64_t number) {
    return mixture.noise(at_level, levels[static_cast<std::size_t>(number)]);
  };
  for (std::size_t i = 0; i + 1 < levels.size(); ++i) {
    const auto number = static_cast<std::int64_t>(i);
    const SamplerStep step{.number = number,
                           .t = number,
                           .t_next = number + 1,
                           .levels = {levels[i], levels[i + 1]},
                           .beta = 1.0 - levels[i] / levels[i + 1],
                           .adds_noise = false,
                           .repeat = std::nullopt};
    x = rule->advance(x, step, exact, {});
  }
  return x;
}

/// Root of the mean square of a - b.
inline double rms_error(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).square().mean().sqrt().item<double>();
}

}  // namespace effuse::testing_support
