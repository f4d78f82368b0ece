#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "checkpoint/checkpoint_folder.hpp"
#include "comm/communicator.hpp"
#include "config/config.hpp"
#include "training/flat_state.hpp"
#include "training/trainer.hpp"

namespace effuse {

/// Saves a checkpoint at intervals and when training ends or stops. Rank 0 writes; all ranks learn
/// of a failure together, so that the job ends in order with the earlier checkpoints intact.
class CheckpointHook : public TrainingHook {
 public:
  /// Told after each save: step, bytes and seconds.
  struct Saved {
    std::int64_t step;
    std::uint64_t size_bytes;
    double seconds;
  };

  struct Parts {
    CheckpointFolder folder;
    const FlatState& state;
    Communicator& comm;
    CheckpointConfig config;
    RunState run_state;                         ///< step, images and control are filled in here
    std::function<ControlState()> control;      ///< as the last step left it
    std::int64_t batch_size;                    ///< global
    std::function<void()> before_save;          ///< at rank 0, as to flush logs; may be empty
    std::function<void(const Saved&)> on_save;  ///< at rank 0; may be empty
  };

  explicit CheckpointHook(Parts parts);

  void before_training(std::int64_t steps_done) override;
  bool looks_at_state(std::int64_t step) const override;
  void after_step(const StepReport& report) override;
  void after_training(std::int64_t steps_done, TrainingEnd end) override;

 private:
  void save(std::int64_t step);
  void write(std::int64_t step);

  Parts parts_;
  std::int64_t last_saved_ = -1;
};

}  // namespace effuse
