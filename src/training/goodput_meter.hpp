#pragma once

#include <cstdint>
#include <functional>

#include "training/goodput.hpp"
#include "training/stopwatch.hpp"

namespace effuse {

/// Keeps a run's Goodput while an attempt is under way: every second since it was made ends up in
/// the account.
class GoodputMeter {
 public:
  /// Seconds since it was last asked, or since the meter was made.
  using Lap = std::function<double()>;

  /// `goodput` is of an attempt that has begun just now.
  explicit GoodputMeter(
      Goodput goodput, Lap lap = [watch = Stopwatch()]() mutable { return watch.lap_s(); });

  /// The start-up is over: steps follow, after number `steps_done`. Where that is before the last
  /// one, the run has gone back.
  void begin_training(std::int64_t steps_done);

  /// A step was done, and this is its report.
  void add(const StepReport& report);

  /// `seconds` of the time since the last settle() went by for this reason.
  void spent(Lost reason, double seconds);

  /// Brings the account up to date. Returns the steps since it was last.
  StepTimeline settle();

  /// No more steps follow: either the run is finished, or what follows is start-up again, until
  /// begin_training().
  void end_training(bool finished);

  const Goodput& goodput() const { return goodput_; }

  /// All steps of this attempt, as of the last settle().
  const StepTimeline& steps() const { return all_; }

 private:
  Goodput goodput_;
  Lap lap_;
  StepTimeline window_;  ///< since the last settle()
  StepTimeline all_;
  StepTimeline known_;  ///< to goodput_
  double spent_s_ = 0.0;
  std::int64_t step_ = 0;
  bool starting_ = true;
};

}  // namespace effuse
