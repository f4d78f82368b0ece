#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "comm/communicator.hpp"
#include "config/config.hpp"
#include "training/checkpoint_writer.hpp"
#include "training/flat_state.hpp"
#include "training/trainer.hpp"

namespace effuse {

/// Saves a checkpoint at intervals and when training ends or stops, once check_replicas() has seen
/// that the ranks hold the same; not after a bad step. Rank 0 writes, in the background; all ranks
/// learn of a failure together, at the next save or at the end, so that the job ends in order with
/// the earlier checkpoints intact.
class CheckpointHook : public TrainingHook {
 public:
  struct Parts {
    std::unique_ptr<CheckpointWriter> writer;  ///< at rank 0; none at the others
    const FlatState& state;
    Communicator& comm;
    std::int64_t every_steps;               ///< 0: only at the end or a stop
    RunState run_state;                     ///< step, images and control are filled in here
    std::function<ControlState()> control;  ///< as the last step left it
    std::int64_t batch_size;                ///< global
  };

  explicit CheckpointHook(Parts parts);

  void before_training(std::int64_t steps_done) override;
  bool looks_at_state(std::int64_t step) const override;
  void after_step(const StepReport& report) override;
  void after_training(std::int64_t steps_done, TrainingEnd end) override;

  /// Collective. Returns when the checkpoint that is being written, if any, is complete. Throws
  /// AgreedError where it failed.
  void finish_writing();

 private:
  void save(std::int64_t step);

  Parts parts_;
  std::int64_t last_saved_ = -1;
};

}  // namespace effuse
