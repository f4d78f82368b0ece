#pragma once

#include <c10/core/Device.h>
#include <c10/core/Event.h>

#include <chrono>
#include <vector>

namespace effuse {

/// Seconds between points of a step, as the device passes them: on a GPU by events in its stream,
/// which the host does not wait for.
class StepTimer {
 public:
  explicit StepTimer(c10::Device device) : device_(device) {}

  /// A point of the step: of the current stream on a GPU, now on the CPU.
  void mark();

  /// Seconds from each mark to the next. On a GPU waits until it has passed the last.
  std::vector<double> laps_s() const;

 private:
  using Clock = std::chrono::steady_clock;

  c10::Device device_;
  std::vector<Clock::time_point> times_;
  std::vector<c10::Event> events_;
};

}  // namespace effuse
