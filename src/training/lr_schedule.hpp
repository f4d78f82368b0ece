#pragma once

#include <cstdint>

#include "config/config.hpp"

namespace effuse {

/// Learning rate of step `step` (from 0) of `total_steps`, per step: a linear warm-up whose first
/// value is lr/warmup_steps and whose last is lr, then constant, or a linear or half-cosine descent
/// that reaches lr·final_lr_ratio exactly at the last step. Where the descent has one step only,
/// that is its last.
double learning_rate(const OptimizerConfig& config, std::int64_t step, std::int64_t total_steps);

}  // namespace effuse
