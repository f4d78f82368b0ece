#include "core/ordered_workers.hpp"

#include <gtest/gtest.h>

#include <atomic>

#include "core/error.hpp"

namespace effuse {
namespace {

TEST(OrderedWorkers, keep_the_order_at_any_number) {
  for (const int workers : {1, 2, 7}) {
    OrderedWorkers<std::int64_t> squares(workers, 100, 3, [](std::int64_t i) { return i * i; });
    for (std::int64_t i = 0; i < 100; ++i) EXPECT_EQ(squares.next(), i * i);
  }
}

TEST(OrderedWorkers, hand_over_what_work_throws_in_its_turn) {
  OrderedWorkers<int> work(2, 10, 4, [](std::int64_t i) {
    if (i == 2) throw DataError("two");
    return static_cast<int>(i);
  });
  EXPECT_EQ(work.next(), 0);
  EXPECT_EQ(work.next(), 1);
  EXPECT_THROW(work.next(), DataError);
  EXPECT_EQ(work.next(), 3);
}

TEST(OrderedWorkers, leave_the_rest_when_they_are_not_asked_any_more) {
  std::atomic<std::int64_t> worked = 0;
  {
    OrderedWorkers<std::int64_t> work(3, 1000000, 4, [&](std::int64_t i) {
      ++worked;
      return i;
    });
    EXPECT_EQ(work.next(), 0);
  }
  EXPECT_LE(worked, 1 + 4);
}

}  // namespace
}  // namespace effuse
