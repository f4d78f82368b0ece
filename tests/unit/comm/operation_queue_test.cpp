#include "comm/operation_queue.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace effuse {
namespace {

using Cancelled = OperationQueue::Cancelled;

TEST(OperationQueue, RunsInOrder) {
  std::vector<int> order;
  OperationQueue queue;
  const auto first = queue.submit([&](const Cancelled&) { order.push_back(1); });
  const auto second = queue.submit([&](const Cancelled&) { order.push_back(2); });
  second->wait();
  EXPECT_EQ(order, (std::vector<int>{1, 2}));
}

TEST(OperationQueue, AFailureIsKeptForAllThatFollow) {
  OperationQueue queue;
  bool ran = false;
  const auto failing = queue.submit([](const Cancelled&) { throw CommError("broken"); });
  const auto behind = queue.submit([&](const Cancelled&) { ran = true; });
  EXPECT_THROW(failing->wait(), CommError);
  EXPECT_THROW(behind->wait(), CommError);
  EXPECT_THROW(queue.check(), CommError);
  EXPECT_FALSE(ran);
}

TEST(OperationQueue, DestructionCancelsWhatRunsAndFailsWhatWaits) {
  std::unique_ptr<Work> running, waiting;
  {
    OperationQueue queue;
    running = queue.submit([](const Cancelled& cancelled) {
      while (!cancelled) std::this_thread::yield();
    });
    waiting = queue.submit([](const Cancelled&) {});
  }
  EXPECT_THROW(waiting->wait(), CommError);
}

}  // namespace
}  // namespace effuse
