#include "evaluation/squared_distances.hpp"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "feature_sets.hpp"

namespace effuse {
namespace {

using feature_sets::features;

/// The table [N, M], 0 where the share leaves a row out.
at::Tensor table_of(const at::Tensor& rows, const at::Tensor& columns, const RowShare& share) {
  at::Tensor table = at::zeros({rows.size(0), columns.size(0)}, at::kDouble);
  visit_squared_distances(rows, columns, share,
                          [&](std::int64_t row, std::int64_t first, std::span<const double> found) {
                            double* out = table.mutable_data_ptr<double>();
                            std::ranges::copy(found, out + row * columns.size(0) + first);
                          });
  return table;
}

at::Tensor exact(const at::Tensor& rows, const at::Tensor& columns) {
  return (rows.to(at::kDouble).unsqueeze(1) - columns.to(at::kDouble)).square().sum(2);
}

TEST(SquaredDistances, AreThoseOfTheDefinition) {
  const at::Tensor rows = features(300, 5, 1);
  const at::Tensor columns = features(2100, 5, 2);  // three tiles
  EXPECT_TRUE(at::allclose(table_of(rows, columns, {}), exact(rows, columns), 1e-12, 1e-14));
}

TEST(SquaredDistances, LoseNoDigitsFarFromTheOrigin) {
  for (const double shift : {100.0, 1e5}) {
    const at::Tensor rows = features(40, 8, 3, 1.0, shift);
    const at::Tensor found = table_of(rows, rows, {});
    EXPECT_TRUE(at::allclose(found, exact(rows, rows), 1e-7, 0.0));
    EXPECT_TRUE(found.diagonal().equal(at::zeros({40}, at::kDouble)));
  }
}

TEST(SquaredDistances, HaveTheSameBitsAtAnyNumberOfRanksAndThreads) {
  const at::Tensor rows = features(700, 300, 1);
  const at::Tensor columns = features(1100, 300, 2);
  const at::Tensor whole = table_of(rows, columns, {});
  const int threads = at::get_num_threads();
  for (const int world_size : {2, 3, 9}) {
    at::set_num_threads(world_size);
    at::Tensor sum = at::zeros_like(whole);
    for (int rank = 0; rank < world_size; ++rank) {
      const at::Tensor part = table_of(rows, columns, {rank, world_size});
      ASSERT_FALSE(at::logical_and(part != 0, sum != 0).any().item<bool>()) << "a row came twice";
      sum += part;
    }
    EXPECT_TRUE(sum.equal(whole));
  }
  at::set_num_threads(threads);
}

TEST(SquaredDistances, OfNothingAreNothing) {
  EXPECT_EQ(table_of(at::empty({0, 4}), features(5, 4, 1), {}).numel(), 0);
  EXPECT_EQ(table_of(features(5, 4, 1), at::empty({0, 4}), {}).numel(), 0);
}

}  // namespace
}  // namespace effuse
