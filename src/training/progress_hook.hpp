#pragma once

#include <cstdint>
#include <optional>

#include "core/progress.hpp"
#include "training/pace.hpp"
#include "training/trainer.hpp"

namespace effuse {

/// The progress line: steps of total, loss, images per second, time left; and once, after the first
/// steps, how long the run is expected to take.
class ProgressHook : public TrainingHook {
 public:
  ProgressHook(std::int64_t total_steps, std::int64_t batch_size, ProgressStyle style);

  void before_step(std::int64_t step) override;
  void after_step(const StepReport& report) override;
  void after_training(std::int64_t steps_done, TrainingEnd end) override;

 private:
  void tell_expected_time(std::int64_t step) const;

  std::int64_t total_steps_;
  std::int64_t batch_size_;
  ProgressStyle style_;
  std::optional<Progress> progress_;
  Pace pace_;
};

}  // namespace effuse
