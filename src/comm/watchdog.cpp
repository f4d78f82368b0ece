#include "comm/watchdog.hpp"

#include <chrono>
#include <cstdlib>
#include <utility>

#include "core/error.hpp"
#include "core/log.hpp"

namespace effuse {

Watchdog::Watchdog(double deadline_s, std::string message)
    : thread_([this, deadline_s, message = std::move(message)] {
        std::unique_lock lock(mutex_);
        const std::chrono::duration<double> deadline(deadline_s);
        if (done_changed_.wait_for(lock, deadline, [this] { return done_; })) return;
        log::error(message);
        std::_Exit(static_cast<int>(ExitCode::failure));
      }) {}

Watchdog::~Watchdog() {
  {
    const std::lock_guard lock(mutex_);
    done_ = true;
  }
  done_changed_.notify_one();
  thread_.join();
}

}  // namespace effuse
