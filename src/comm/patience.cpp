#include "comm/patience.hpp"

#include <algorithm>
#include <thread>

namespace effuse {

void Patience::pause() {
  constexpr int kPollsAtOnce = 200;
  using std::chrono::microseconds;
  if (++polls_ <= kPollsAtOnce) return;
  const auto waited = std::chrono::duration_cast<microseconds>(Clock::now() - began_);
  std::this_thread::sleep_for(std::clamp(waited / 16, microseconds(20), microseconds(1000)));
}

double Patience::elapsed_s() const {
  return std::chrono::duration<double>(Clock::now() - began_).count();
}

}  // namespace effuse
