#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "data/loader.hpp"
#include "training/step.hpp"

namespace effuse {

enum class TrainingEnd { finished, stopped };

/// What happens around steps: logs, metrics, checkpoints, previews. Hooks run on every rank in the
/// same order, so they may be collective.
class TrainingHook {
 public:
  virtual ~TrainingHook() = default;

  /// Before the first step of this process; `steps_done` is 0 for a new run.
  virtual void before_training(std::int64_t steps_done) { static_cast<void>(steps_done); }

  virtual void after_step(const StepReport& report) { static_cast<void>(report); }

  /// After the last step of this process, whether the run is finished or was asked to stop.
  virtual void after_training(std::int64_t steps_done, TrainingEnd end) {
    static_cast<void>(steps_done), static_cast<void>(end);
  }
};

/// The training loop: takes batches, makes steps, calls hooks, until the run's last step or until
/// the ranks agree to stop.
class Trainer {
 public:
  Trainer(TrainStep& step, Loader& loader, std::int64_t total_steps,
          std::vector<std::unique_ptr<TrainingHook>> hooks);

  /// Collective. Continues after `steps_done` steps.
  TrainingEnd run(std::int64_t steps_done);

 private:
  StepReport make_step();

  TrainStep& step_;
  Loader& loader_;
  std::int64_t total_steps_;
  std::vector<std::unique_ptr<TrainingHook>> hooks_;
};

}  // namespace effuse
