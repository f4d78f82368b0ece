#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace effuse {

/// Threads that compute work(0), work(1), … work(count-1) ahead of the one thread that takes the
/// results with next(), in this order whatever the number of threads. At most `window` results wait
/// at a time.
template <class Result>
class OrderedWorkers {
 public:
  using Work = std::function<Result(std::int64_t)>;

  OrderedWorkers(int workers, std::int64_t count, std::int64_t window, Work work)
      : count_(count), window_(window), work_(std::move(work)) {
    slots_.resize(static_cast<std::size_t>(window));
    for (int i = 0; i < workers; ++i) threads_.emplace_back([this] { run(); });
  }

  /// Waits for work that has begun; the rest is left.
  ~OrderedWorkers() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    room_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }
  OrderedWorkers(const OrderedWorkers&) = delete;
  OrderedWorkers& operator=(const OrderedWorkers&) = delete;

  /// Results that wait to be taken.
  std::int64_t ready() const {
    const std::lock_guard lock(mutex_);
    return std::count_if(slots_.begin(), slots_.end(),
                         [](const auto& slot) { return slot.has_value(); });
  }

  /// The next result. Throws what work() threw for it. To be called `count` times at most.
  Result next() {
    std::unique_lock lock(mutex_);
    std::optional<Outcome>& slot = slot_of(taken_);
    filled_.wait(lock, [&] { return slot.has_value(); });
    Outcome outcome = std::move(*slot);
    slot.reset();
    ++taken_;
    lock.unlock();
    room_.notify_one();
    if (outcome.failure) std::rethrow_exception(outcome.failure);
    return std::move(*outcome.result);
  }

 private:
  struct Outcome {
    std::optional<Result> result;
    std::exception_ptr failure;
  };

  std::optional<Outcome>& slot_of(std::int64_t index) {
    return slots_[static_cast<std::size_t>(index % window_)];
  }

  void run() {
    while (const std::optional<std::int64_t> index = claim()) {
      Outcome outcome;
      try {
        outcome.result = work_(*index);
      } catch (...) {
        outcome.failure = std::current_exception();
      }
      {
        const std::lock_guard lock(mutex_);
        slot_of(*index) = std::move(outcome);
      }
      filled_.notify_one();
    }
  }

  std::optional<std::int64_t> claim() {
    std::unique_lock lock(mutex_);
    room_.wait(lock,
               [&] { return stopping_ || claimed_ == count_ || claimed_ < taken_ + window_; });
    if (stopping_ || claimed_ == count_) return std::nullopt;
    return claimed_++;
  }

  const std::int64_t count_;
  const std::int64_t window_;
  const Work work_;
  mutable std::mutex mutex_;
  std::condition_variable room_;
  std::condition_variable filled_;
  std::vector<std::optional<Outcome>> slots_;  // result i waits in slot i mod window
  std::int64_t claimed_ = 0;
  std::int64_t taken_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace effuse
