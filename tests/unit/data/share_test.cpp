#include "data/share.hpp"

#include <gtest/gtest.h>

namespace effuse {
namespace {

TEST(ShareOf, covers_the_whole_in_parts_that_differ_by_one) {
  for (std::int64_t whole = 0; whole <= 20; ++whole) {
    for (std::int64_t parts = 1; parts <= 7; ++parts) {
      std::int64_t next = 0;
      for (std::int64_t part = 0; part < parts; ++part) {
        const Share share = share_of(whole, part, parts);
        EXPECT_EQ(share.first, next);
        EXPECT_GE(share.count, whole / parts);
        EXPECT_LE(share.count, (whole + parts - 1) / parts);
        next += share.count;
      }
      EXPECT_EQ(next, whole);
    }
  }
}

TEST(ShareOf, gives_the_remainder_to_the_first) {
  EXPECT_EQ(share_of(8, 0, 3).count, 3);
  EXPECT_EQ(share_of(8, 1, 3).first, 3);
  EXPECT_EQ(share_of(8, 2, 3).count, 2);
}

TEST(MicroStepsOf, follow_from_the_largest_share) {
  EXPECT_EQ(micro_steps_of(8, 1, 0), 1);
  EXPECT_EQ(micro_steps_of(8, 1, 3), 3);
  EXPECT_EQ(micro_steps_of(8, 2, 4), 1);
  EXPECT_EQ(micro_steps_of(8, 3, 2), 2);
  EXPECT_EQ(micro_steps_of(8, 3, 100), 1);
  EXPECT_EQ(micro_steps_of(1, 4, 1), 1);
}

TEST(MicroStepsOf, no_part_is_larger_than_a_micro_batch) {
  for (int ranks = 1; ranks <= 4; ++ranks) {
    for (std::int64_t limit = 1; limit <= 9; ++limit) {
      const std::int64_t steps = micro_steps_of(17, ranks, limit);
      for (int rank = 0; rank < ranks; ++rank) {
        EXPECT_LE(share_of(share_of(17, rank, ranks).count, 0, steps).count, limit);
      }
    }
  }
}

}  // namespace
}  // namespace effuse
