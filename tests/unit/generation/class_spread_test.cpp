#include "generation/class_spread.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.hpp"

namespace effuse {
namespace {

using Numbers = std::vector<std::int64_t>;

TEST(SpreadClasses, comes_out_exactly_after_as_many_images_as_were_counted) {
  for (const Numbers& counts : {Numbers{5000, 400, 33, 0, 1}, Numbers{1, 1, 1}, Numbers{0, 7}}) {
    const std::int64_t total = std::accumulate(counts.begin(), counts.end(), std::int64_t{0});
    const Numbers classes = spread_classes(counts, total + 10);
    EXPECT_EQ(static_cast<std::int64_t>(classes.size()), total) << "then it begins again";
    for (std::size_t k = 0; k < counts.size(); ++k) {
      EXPECT_EQ(std::ranges::count(classes, static_cast<std::int64_t>(k)), counts[k]);
    }
  }
}

TEST(SpreadClasses, is_near_its_share_after_any_number_of_images) {
  const Numbers counts{600, 250, 100, 50};
  const Numbers classes = spread_classes(counts, 1000);
  Numbers so_far(counts.size(), 0);
  for (std::size_t i = 0; i < classes.size(); ++i) {
    ++so_far[static_cast<std::size_t>(classes[i])];
    for (std::size_t k = 0; k < counts.size(); ++k) {
      const double share = static_cast<double>(counts[k]) * static_cast<double>(i + 1) / 1000;
      EXPECT_LT(std::abs(static_cast<double>(so_far[k]) - share), 1.0) << i << " " << k;
    }
  }
}

TEST(SpreadClasses, of_equal_counts_take_turns) {
  EXPECT_EQ(spread_classes(Numbers{3, 3, 3}, 7), (Numbers{0, 1, 2, 0, 1, 2, 0}));
}

TEST(SpreadClasses, of_an_image_does_not_depend_on_how_many_there_are) {
  const Numbers counts{17, 4, 9};
  const Numbers all = spread_classes(counts, 30);
  EXPECT_EQ(spread_classes(counts, 11), Numbers(all.begin(), all.begin() + 11));
}

TEST(SpreadClasses, needs_something_to_spread) {
  EXPECT_THROW(spread_classes(Numbers{0, 0}, 5), Error);
  EXPECT_THROW(spread_classes(Numbers{2, -1}, 5), Error);
}

}  // namespace
}  // namespace effuse
