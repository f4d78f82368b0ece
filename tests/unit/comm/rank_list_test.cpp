#include "comm/rank_list.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace effuse {
namespace {

std::string text(const std::vector<int>& ranks) { return rank_list(ranks); }

TEST(RankList, ReadsAsAPersonWouldSayIt) {
  EXPECT_EQ(text({3}), "rank 3");
  EXPECT_EQ(text({0, 2}), "ranks 0 and 2");
  EXPECT_EQ(text({0, 1}), "ranks 0 and 1");
  EXPECT_EQ(text({1, 2, 4}), "ranks 1, 2 and 4");
}

TEST(RankList, IsShortForManyRanks) {
  EXPECT_EQ(text({0, 2, 3, 4, 5, 9}), "ranks 0, 2 to 5 and 9");
  EXPECT_EQ(text({5, 6, 7}), "ranks 5 to 7");
}

}  // namespace
}  // namespace effuse
