#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "training/batch_feed.hpp"
#include "training/step.hpp"
#include "training/stopwatch.hpp"

namespace effuse {

/// finished: all steps are done; stopped: some rank was asked to; diverged: more bad steps in a row
/// than recovery.skip_limit.
enum class TrainingEnd { finished, stopped, diverged };

/// What happens around steps: logs, metrics, checkpoints, previews. Hooks run on every rank in the
/// same order, so they may be collective.
class TrainingHook {
 public:
  virtual ~TrainingHook() = default;

  /// Before the first step; `steps_done` is 0 for a new run.
  virtual void before_training(std::int64_t steps_done) { static_cast<void>(steps_done); }

  /// Before step number `step` (from 1) takes its data.
  virtual void before_step(std::int64_t step) { static_cast<void>(step); }

  /// Whether after_step() of step number `step` needs weights and averages as that step left them:
  /// the next step is not begun before.
  virtual bool looks_at_state(std::int64_t step) const {
    static_cast<void>(step);
    return false;
  }

  /// What step report.step did; the next one may be under way already, unless looks_at_state().
  virtual void after_step(const StepReport& report) { static_cast<void>(report); }

  /// After the last step of this training loop.
  virtual void after_training(std::int64_t steps_done, TrainingEnd end) {
    static_cast<void>(steps_done), static_cast<void>(end);
  }
};

struct TrainerLimits {
  std::int64_t total_steps = 0;
  std::int64_t bad_steps = 3;  ///< in a row that are skipped
};

/// The training loop: takes batches, makes steps, calls hooks, until the run's last step, until the
/// ranks agree to stop, or until too many steps in a row were bad. What a step did is looked at
/// once the next one is under way, so that a GPU has always something to do.
class Trainer {
 public:
  Trainer(TrainStep& step, BatchFeed& feed, const TrainerLimits& limits,
          std::vector<std::unique_ptr<TrainingHook>> hooks);

  /// Collective. Continues after `steps_done` steps.
  TrainingEnd run(std::int64_t steps_done);

 private:
  void launch(std::int64_t step);
  void finish_oldest();
  bool looks_at_state(std::int64_t step) const;
  void count_bad(const StepReport& report);

  TrainStep& step_;
  BatchFeed& feed_;
  TrainerLimits limits_;
  std::vector<std::unique_ptr<TrainingHook>> hooks_;
  std::deque<double> data_waits_s_;  ///< of the steps under way
  Stopwatch between_reports_;
  std::int64_t steps_done_ = 0;
  std::int64_t bad_in_a_row_ = 0;
  bool stopping_ = false;
  bool diverged_ = false;
};

}  // namespace effuse
