#pragma once

#include <chrono>

namespace effuse {

/// Seconds on the steady clock, since some time in the past.
inline double steady_time_s() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// Seconds between laps, on the steady clock.
class Stopwatch {
 public:
  /// Seconds since construction or the last lap.
  double lap_s() {
    const auto now = Clock::now();
    const double elapsed_s = seconds_until(now);
    last_ = now;
    return elapsed_s;
  }

  /// lap_s() that begins no new lap.
  double elapsed_s() const { return seconds_until(Clock::now()); }

 private:
  using Clock = std::chrono::steady_clock;

  double seconds_until(Clock::time_point now) const {
    return std::chrono::duration<double>(now - last_).count();
  }

  Clock::time_point last_ = Clock::now();
};

}  // namespace effuse
