#pragma once

#include <cstdint>

#include "app/run_folder.hpp"
#include "metrics/event_file.hpp"
#include "training/trainer.hpp"

namespace effuse {

/// Puts preview grids before TensorBoard, at rank 0. Comes after the hook that makes them.
class TensorBoardPreviews : public TrainingHook {
 public:
  /// `events` and `folder` must outlive this. `every_steps`: preview.every_steps.
  TensorBoardPreviews(metrics::EventFile& events, const RunFolder& folder,
                      std::int64_t every_steps);

  void before_training(std::int64_t steps_done) override;
  void after_step(const StepReport& report) override;
  void after_training(std::int64_t steps_done, TrainingEnd end) override;

 private:
  void write_preview(std::int64_t step);

  metrics::EventFile& events_;
  const RunFolder& folder_;
  std::int64_t every_steps_;
  std::int64_t last_ = -1;
};

}  // namespace effuse
