#pragma once

#include <cstdint>
#include <string_view>

#include "config/config.hpp"

namespace effuse {

/// The fault that [drill] asks for, if any: places where it can happen ask whether it is due.
class Drill {
 public:
  Drill(const DrillConfig& config, int rank) : config_(config), rank_(rank) {}

  /// Whether `fault` is to happen at this rank in step number `step` (from 1).
  bool due(std::string_view fault, std::int64_t step) const {
    return step == config_.step && due_since(fault, step);
  }

  /// Whether `fault`, which lasts, has begun at this rank by step number `step`.
  bool due_since(std::string_view fault, std::int64_t step) const {
    return fault == config_.fault && rank_ == config_.rank && step >= config_.step;
  }

  const DrillConfig& config() const { return config_; }

 private:
  DrillConfig config_;
  int rank_;
};

}  // namespace effuse
