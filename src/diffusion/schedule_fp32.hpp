#pragma once

#include <vector>

#include "config/config.hpp"

namespace effuse {

struct Fp32Tables {
  std::vector<double> betas, alpha_bar;
};

/// The tables as diffusers and IDDM compute them: betas and the products of 1 - beta rounded to
/// fp32 at every step, which shows in what they sample (the last alpha_bar of the cosine schedule
/// is off by 6e-5). min_alpha_bar and zero_terminal_snr change alpha_bar alone, as in Schedule.
Fp32Tables tables_in_fp32(const DiffusionConfig& config, const std::vector<double>& exact_betas);

}  // namespace effuse
