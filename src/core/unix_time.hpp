#pragma once

#include <chrono>

namespace effuse {

/// The time of day: seconds since 1970-01-01 00:00 UTC.
inline double unix_time_s() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace effuse
