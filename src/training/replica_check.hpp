#pragma once

#include <cstdint>

#include "comm/communicator.hpp"
#include "training/flat_state.hpp"
#include "training/trainer.hpp"

namespace effuse {

/// Collective. Compares what must be the same at every rank after step number `step`: weights,
/// average, moments, and what is not trained, by sums over their bits, one pass over the memory.
/// Where ranks differ (a fault of a processor or its memory, as a rule) throws AgreedError at every
/// rank, with the first tensors that differ and the ranks that hold what most others do not. Does
/// nothing at one rank.
void check_replicas(const FlatState& state, Communicator& comm, std::int64_t step);

/// check_replicas() at intervals. Each save makes it too (CheckpointHook).
class ReplicaHook : public TrainingHook {
 public:
  /// `every_steps` 0: never. What is referred to must outlive this.
  ReplicaHook(const FlatState& state, Communicator& comm, std::int64_t every_steps);

  bool looks_at_state(std::int64_t step) const override;
  void after_step(const StepReport& report) override;

 private:
  const FlatState& state_;
  Communicator& comm_;
  std::int64_t every_steps_;
};

}  // namespace effuse
