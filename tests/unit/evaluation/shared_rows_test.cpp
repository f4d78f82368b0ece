#include "evaluation/shared_rows.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <vector>

#include "support/world.hpp"

namespace effuse {
namespace {

constexpr std::int64_t kRows = 26;

SharedRows shared(const at::Tensor& table) { return share_rows(table, 4, testing::world()); }

at::Tensor numbers() { return at::arange(kRows * 3, at::kFloat).view({kRows, 3}); }

TEST(SharedRows, AnyRangeIsFoundWhereverItLies) {
  const SharedRows rows = shared(numbers());
  for (const IndexRange& range : {IndexRange{0, kRows}, {7, 17}, {3, 4}, {25, 26}, {9, 9}}) {
    EXPECT_TRUE(rows.rows(range, testing::world(), testing::device())
                    .equal(numbers().slice(0, range.first, range.end)));
  }
}

TEST(SharedRows, PlacesArePickedInTheirOrder) {
  const std::vector<std::int64_t> places{25, 0, 13, 13, 4};
  EXPECT_TRUE(shared(numbers())
                  .pick(places, testing::world(), testing::device())
                  .equal(numbers().index_select(0, at::tensor(places, at::kLong))));
}

TEST(SharedRows, PixelsArePickedAsTheyAre) {
  const at::Tensor pixels = at::arange(kRows * 6, at::kByte).view({kRows, 2, 3, 1});
  const std::vector<std::int64_t> places{20, 1};
  EXPECT_TRUE(shared(pixels)
                  .pick(places, testing::world(), testing::device())
                  .equal(at::stack({pixels[20], pixels[1]})));
}

TEST(SharedRows, ARankHoldsItsOwn) {
  const SharedRows rows = shared(numbers());
  const IndexRange own = rows.range(testing::world());
  EXPECT_EQ(rows.count, kRows);
  EXPECT_TRUE(rows.mine.equal(numbers().slice(0, own.first, own.end)));
}

}  // namespace
}  // namespace effuse
