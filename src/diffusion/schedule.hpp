#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "config/config.hpp"
#include "diffusion/schedule_fp32.hpp"

namespace effuse {

/// The noise schedule of [diffusion]: q(x_t | x_0) = N(sqrt(alpha_bar_t) x_0, (1 - alpha_bar_t) I)
/// for t = 0 … T-1, where alpha_bar_t is the product of 1 - beta_s over s <= t, then clipped from
/// below (min_alpha_bar) or rescaled to end in pure noise (zero_terminal_snr). All in float64.
class Schedule {
 public:
  /// Throws ConfigError for a schedule that is not known, betas outside (0, 1), an alpha_bar that
  /// underflows, and zero_terminal_snr with a noise prediction.
  explicit Schedule(const DiffusionConfig& config);

  /// T.
  std::int64_t size() const { return static_cast<std::int64_t>(alpha_bar_.size()); }

  /// 1 - alpha_bar_t / alpha_bar_{t-1}.
  double beta(std::int64_t t) const { return betas_.at(static_cast<std::size_t>(t)); }

  /// alpha_bar_t; 1 for t = -1, the image itself.
  double alpha_bar(std::int64_t t) const {
    return t < 0 ? 1.0 : alpha_bar_.at(static_cast<std::size_t>(t));
  }

  /// The same schedule with the tables that diffusers and IDDM compute in fp32.
  Schedule rounded_to_fp32() const;

  const std::vector<double>& betas() const { return betas_; }
  const std::vector<double>& alpha_bar() const { return alpha_bar_; }

 private:
  std::vector<double> betas_;
  std::vector<double> alpha_bar_;
  Fp32Tables fp32_;
};

}  // namespace effuse
