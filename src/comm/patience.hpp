#pragma once

#include <chrono>

namespace effuse {

/// How to poll for what other ranks will do: at once at first, then with sleeps that grow to a
/// sixteenth of the time waited, 1 ms at most. Late by little, and leaves the core to those who
/// compute on it.
class Patience {
 public:
  void pause();
  double elapsed_s() const;

 private:
  using Clock = std::chrono::steady_clock;

  Clock::time_point began_ = Clock::now();
  int polls_ = 0;
};

}  // namespace effuse
