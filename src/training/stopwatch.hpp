#pragma once

#include <chrono>

namespace effuse {

/// Seconds between laps, on the steady clock.
class Stopwatch {
 public:
  /// Seconds since construction or the last lap.
  double lap_s() {
    const auto now = std::chrono::steady_clock::now();
    const double elapsed_s = std::chrono::duration<double>(now - last_).count();
    last_ = now;
    return elapsed_s;
  }

 private:
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

}  // namespace effuse
