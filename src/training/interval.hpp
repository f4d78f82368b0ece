#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "training/stopwatch.hpp"
#include "training/timestep_losses.hpp"
#include "training/trainer.hpp"

namespace effuse {

/// The steps since the last line of the log, as one.
struct Interval {
  double images_per_s = 0.0;  ///< over all ranks; the time between steps counts
  TimestepLosses losses{};
  std::vector<double> grad_norms{};  ///< of each step, before clipping
};

/// Wants to know of intervals.
class IntervalListener {
 public:
  virtual ~IntervalListener() = default;

  /// `last` is the report of the interval's last step.
  virtual void after_interval(const StepReport& last, const Interval& interval) = 0;
};

/// Sums steps up, and tells listeners every `every_steps` steps and after the run's last step, at
/// rank 0.
class IntervalHook : public TrainingHook {
 public:
  struct Steps {
    std::int64_t batch_size = 0;
    std::int64_t every_steps = 1;  ///< run.log_every_steps
    std::int64_t total_steps = 0;
  };

  /// The listeners must outlive this.
  IntervalHook(const Steps& steps, std::vector<IntervalListener*> listeners);

  void before_step(std::int64_t step) override;
  void after_step(const StepReport& report) override;

 private:
  Steps steps_;
  std::vector<IntervalListener*> listeners_;
  Interval interval_;              ///< so far
  std::optional<double> began_s_;  ///< when the step before it was done, on steady_time_s()
};

}  // namespace effuse
