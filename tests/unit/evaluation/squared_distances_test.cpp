#include "evaluation/squared_distances.hpp"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "comm/backends.hpp"
#include "evaluation/rank_sum.hpp"
#include "feature_sets.hpp"
#include "support/world.hpp"

namespace effuse {
namespace {

using feature_sets::features;

constexpr std::int64_t kTile = 7;

/// The table [N, M], 0 where rows are another rank's.
at::Tensor part_of(const at::Tensor& rows, const at::Tensor& columns, Communicator& comm,
                   at::Device device) {
  at::Tensor table = at::zeros({rows.size(0), columns.size(0)}, at::kDouble);
  visit_squared_distances(share_rows(rows, kTile, comm), share_rows(columns, kTile, comm), comm,
                          device,
                          [&](std::int64_t row, std::int64_t first, std::span<const double> found) {
                            double* out = table.mutable_data_ptr<double>();
                            std::ranges::copy(found, out + row * columns.size(0) + first);
                          });
  return table;
}

at::Tensor table_of(const at::Tensor& rows, const at::Tensor& columns) {
  const at::Tensor part = part_of(rows, columns, testing::world(), testing::device());
  return sum_over_ranks(part, testing::world(), testing::device());
}

at::Tensor exact(const at::Tensor& rows, const at::Tensor& columns) {
  return (rows.to(at::kDouble).unsqueeze(1) - columns.to(at::kDouble)).square().sum(2);
}

TEST(SquaredDistances, AreThoseOfTheDefinition) {
  const at::Tensor rows = features(300, 5, 1);
  const at::Tensor columns = features(2100, 5, 2);  // three tiles
  EXPECT_TRUE(at::allclose(table_of(rows, columns), exact(rows, columns), 1e-12, 1e-14));
}

TEST(SquaredDistances, LoseNoDigitsFarFromTheOrigin) {
  for (const double shift : {100.0, 1e5}) {
    const at::Tensor rows = features(40, 8, 3, 1.0, shift);
    const at::Tensor found = table_of(rows, rows);
    EXPECT_TRUE(at::allclose(found, exact(rows, rows), 1e-7, 0.0));
    EXPECT_TRUE(found.diagonal().equal(at::zeros({40}, at::kDouble)));
  }
}

TEST(SquaredDistances, HaveTheSameBitsAtAnyNumberOfRanksAndThreads) {
  const at::Tensor rows = features(700, 300, 1);
  const at::Tensor columns = features(1100, 300, 2);
  const auto alone = make_single(testing::deadlines());
  const at::Tensor whole = part_of(rows, columns, *alone, at::kCPU);
  const int threads = at::get_num_threads();
  for (const int count : {1, 3}) {
    at::set_num_threads(count);
    EXPECT_TRUE(table_of(rows, columns).equal(whole));
  }
  at::set_num_threads(threads);
}

TEST(SquaredDistances, ARowIsVisitedByOneRank) {
  const at::Tensor rows = features(700, 3, 1);
  const at::Tensor part =
      part_of(rows, features(1100, 3, 2), testing::world(), testing::device()).ne(0).any(1);
  for (std::int64_t row = 0; row < 700; ++row) {
    ASSERT_EQ(part[row].item<bool>(), visits_row(row, testing::world())) << row;
  }
  const at::Tensor visits = sum_over_ranks(part.to(at::kLong), testing::world(), testing::device());
  EXPECT_TRUE(visits.eq(1).all().item<bool>());
}

TEST(SquaredDistances, OfNothingAreNothing) {
  EXPECT_EQ(table_of(at::empty({0, 4}), features(5, 4, 1)).numel(), 0);
  EXPECT_EQ(table_of(features(5, 4, 1), at::empty({0, 4})).numel(), 0);
}

}  // namespace
}  // namespace effuse
