#pragma once

#include <cstdint>
#include <optional>

#include "core/progress.hpp"
#include "metrics/jsonl.hpp"
#include "training/stopwatch.hpp"
#include "training/trainer.hpp"

namespace effuse {

/// The progress line: steps of total, loss, images per second, time left; and once, after the first
/// steps, how long the run is expected to take.
class ProgressHook : public TrainingHook {
 public:
  ProgressHook(std::int64_t total_steps, std::int64_t batch_size, ProgressStyle style);

  void before_training(std::int64_t steps_done) override;
  void after_step(const StepReport& report) override;
  void after_training(std::int64_t steps_done, TrainingEnd end) override;

 private:
  void tell_expected_time(std::int64_t step) const;

  std::int64_t total_steps_;
  std::int64_t batch_size_;
  ProgressStyle style_;
  std::optional<Progress> progress_;
  Stopwatch watch_;
  double elapsed_s_ = 0.0;
  std::int64_t steps_here_ = 0;
};

/// metrics/train.jsonl, at rank 0: a line every `every_steps` steps and for the last step. The
/// fields step, images, epoch, loss, grad_norm and lr are deterministic; the times are not.
class JsonlHook : public TrainingHook {
 public:
  /// `writer` must outlive this.
  JsonlHook(metrics::JsonlWriter& writer, std::int64_t batch_size, std::int64_t every_steps,
            std::int64_t total_steps);

  void before_training(std::int64_t steps_done) override;
  void after_step(const StepReport& report) override;

 private:
  metrics::JsonlWriter& writer_;
  std::int64_t batch_size_;
  std::int64_t every_steps_;
  std::int64_t total_steps_;
  double line_s_ = 0.0;     ///< when the step of the last line was done
  std::int64_t steps_ = 0;  ///< since the last line, as losses_
  TimestepLosses losses_;
};

}  // namespace effuse
