#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <thread>

#include "comm/communicator.hpp"

namespace effuse {

/// A thread that runs operations one after the other, in the order given. After one has thrown, all
/// later ones fail with the same exception without being run.
class OperationQueue {
 public:
  /// To be polled by long operations: true when the queue is being destroyed.
  using Cancelled = std::atomic<bool>;
  using Operation = std::function<void(const Cancelled&)>;

  OperationQueue();

  /// Cancels what is not done.
  ~OperationQueue();
  OperationQueue(const OperationQueue&) = delete;
  OperationQueue& operator=(const OperationQueue&) = delete;

  std::unique_ptr<Work> submit(Operation operation);

  /// Throws what an operation has thrown.
  void check();

 private:
  struct Entry {
    Operation operation;
    std::promise<double> seconds;
  };

  void run();
  bool next(Entry& entry);
  void perform(Entry& entry);

  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<Entry> waiting_;
  std::exception_ptr failure_;
  Cancelled cancelled_ = false;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace effuse
