#include "comm/operation_queue.hpp"

#include <chrono>
#include <utility>

#include "core/stacks.hpp"

namespace effuse {
namespace {

class QueuedWork final : public Work {
 public:
  explicit QueuedWork(std::future<double> seconds) : seconds_(seconds.share()) {}
  void wait() override { seconds_.get(); }
  double busy_s() const override { return seconds_.get(); }

 private:
  std::shared_future<double> seconds_;
};

}  // namespace

OperationQueue::OperationQueue() : thread_([this] { run(); }) {}

OperationQueue::~OperationQueue() {
  {
    const std::lock_guard lock(mutex_);
    cancelled_ = true;
  }
  arrived_.notify_one();
  thread_.join();
}

std::unique_ptr<Work> OperationQueue::submit(Operation operation) {
  Entry entry{std::move(operation), {}};
  auto work = std::make_unique<QueuedWork>(entry.seconds.get_future());
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(entry));
  }
  arrived_.notify_one();
  return work;
}

void OperationQueue::check() {
  const std::lock_guard lock(mutex_);
  if (failure_) std::rethrow_exception(failure_);
}

bool OperationQueue::next(Entry& entry) {
  std::unique_lock lock(mutex_);
  arrived_.wait(lock, [this] { return cancelled_ || !waiting_.empty(); });
  if (cancelled_) return false;
  entry = std::move(waiting_.front());
  waiting_.pop_front();
  return true;
}

void OperationQueue::perform(Entry& entry) {
  try {
    check();
    const auto began = std::chrono::steady_clock::now();
    entry.operation(cancelled_);
    entry.operation = nullptr;  // releases its tensors before its waiter goes on
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    entry.seconds.set_value(took.count());
  } catch (...) {
    {
      const std::lock_guard lock(mutex_);
      failure_ = std::current_exception();
    }
    entry.seconds.set_exception(std::current_exception());
  }
}

void OperationQueue::run() {
  name_this_thread("operations");
  Entry entry;
  while (next(entry)) perform(entry);
  const auto abandoned = std::make_exception_ptr(
      CommError("the communicator was destroyed before this operation was done"));
  const std::lock_guard lock(mutex_);
  for (auto& left : waiting_) left.seconds.set_exception(abandoned);
  waiting_.clear();
}

}  // namespace effuse
