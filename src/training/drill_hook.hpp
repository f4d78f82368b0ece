#pragma once

#include "comm/communicator.hpp"
#include "config/config.hpp"
#include "training/drill.hpp"
#include "training/flat_state.hpp"
#include "training/trainer.hpp"

namespace effuse {

/// Throws ConfigError where drill.rank is not one of the job's ranks.
void require_drill(const DrillConfig& drill, int world_size);

/// A warning that a fault will be made, if one is asked for.
void warn_of_drill(const DrillConfig& drill);

/// The faults that need nothing but to happen at the beginning of a step: kill, segfault, stop,
/// slow, flip_weight, skip_reduction.
class DrillHook : public TrainingHook {
 public:
  /// What is referred to must outlive this.
  DrillHook(const Drill& drill, const FlatState& state, Communicator& comm);

  void before_step(std::int64_t step) override;

 private:
  Drill drill_;
  const FlatState& state_;
  Communicator& comm_;
};

}  // namespace effuse
