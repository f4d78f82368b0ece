#include "training/step_timer.hpp"

#include <c10/core/impl/VirtualGuardImpl.h>

namespace effuse {

void StepTimer::mark() {
  if (device_.is_cpu()) {
    times_.push_back(Clock::now());
    return;
  }
  const c10::impl::VirtualGuardImpl device(device_.type());
  c10::Event& event = events_.emplace_back(device_.type(), c10::EventFlag::BACKEND_DEFAULT);
  event.record(device.getStream(device_));
}

std::vector<double> StepTimer::laps_s() const {
  std::vector<double> laps_s;
  for (std::size_t i = 1; i < times_.size(); ++i) {
    laps_s.push_back(std::chrono::duration<double>(times_[i] - times_[i - 1]).count());
  }
  if (!events_.empty()) events_.back().synchronize();
  for (std::size_t i = 1; i < events_.size(); ++i) {
    laps_s.push_back(1e-3 * events_[i - 1].elapsedTime(events_[i]));
  }
  return laps_s;
}

}  // namespace effuse
