#pragma once

#include <vector>

#include "config/config.hpp"

namespace effuse {

/// alpha_bar as diffusers and IDDM compute it: betas and their products rounded to fp32 at every
/// step, which shows in what they sample (the last entry of the cosine schedule is off by 1 %).
/// min_alpha_bar and zero_terminal_snr are applied as in Schedule.
std::vector<double> alpha_bar_in_fp32(const DiffusionConfig& config,
                                      const std::vector<double>& exact_betas);

}  // namespace effuse
