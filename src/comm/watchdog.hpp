#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

namespace effuse {

/// Ends this process, with the exit code of a failure, where what it guards takes longer than
/// `deadline_s`: for the calls into MPI that can be neither polled nor given up. The message says
/// what was waited for.
class Watchdog {
 public:
  Watchdog(double deadline_s, std::string message);
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

 private:
  std::mutex mutex_;
  std::condition_variable done_changed_;
  bool done_ = false;
  std::thread thread_;
};

}  // namespace effuse
