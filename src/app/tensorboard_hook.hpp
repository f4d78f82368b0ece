#pragma once

#include <cstdint>
#include <vector>

#include "app/run_folder.hpp"
#include "metrics/event_file.hpp"
#include "training/stopwatch.hpp"
#include "training/trainer.hpp"

namespace effuse {

/// What TensorBoard shows of a run, at rank 0: numbers and the spread of gradient norms every
/// run.log_every_steps steps, and preview grids. Comes after the hook that makes those.
class TensorBoardHook : public TrainingHook {
 public:
  struct Run {
    std::int64_t batch_size = 0;
    std::int64_t timesteps = 0;
    std::int64_t log_every_steps = 1;
    std::int64_t preview_every_steps = 0;
  };

  /// `events` and `folder` must outlive this.
  TensorBoardHook(metrics::EventFile& events, const RunFolder& folder, const Run& run);

  void before_training(std::int64_t steps_done) override;
  void after_step(const StepReport& report) override;
  void after_training(std::int64_t steps_done, TrainingEnd end) override;

 private:
  void write_scalars(const StepReport& report);
  void write_preview(std::int64_t step);

  metrics::EventFile& events_;
  const RunFolder& folder_;
  Run run_;
  std::vector<double> grad_norms_;  ///< since the last scalars, as losses_
  TimestepLosses losses_;
  double scalars_s_ = 0.0;  ///< when the step of the last scalars was done
  std::int64_t last_preview_ = -1;
};

}  // namespace effuse
