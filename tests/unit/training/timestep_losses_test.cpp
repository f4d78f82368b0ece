#include "training/timestep_losses.hpp"

#include <ATen/ATen.h>
#include <gmock/gmock.h>

namespace effuse {
namespace {

using testing::ElementsAre;

void add(TimestepLosses& losses, const at::Tensor& of_step) {
  const double* numbers = of_step.const_data_ptr<double>();
  losses.add(numbers, numbers + TimestepLosses::kRanges);
}

TEST(TimestepLosses, AreMeansByTenthOfTheTimeSteps) {
  TimestepLosses losses;
  add(losses, sum_by_timestep(at::tensor({1.0F, 2.0F, 8.0F}), at::tensor({0L, 99L, 999L}), 1000));
  add(losses, sum_by_timestep(at::tensor({6.0F, 4.0F}), at::tensor({50L, 100L}), 1000));
  const auto means = losses.means();
  EXPECT_EQ(means[0], 3.0);
  EXPECT_EQ(means[1], 4.0);
  EXPECT_EQ(means[9], 8.0);
  for (std::size_t i = 2; i < 9; ++i) EXPECT_FALSE(means[i]) << i;
}

TEST(TimestepLosses, OfTwoAreTheirImagesTogether) {
  TimestepLosses one, two;
  add(one, sum_by_timestep(at::tensor({1.0, 1.0, 1.0}), at::tensor({5L, 5L, 5L}), 10));
  add(two, sum_by_timestep(at::tensor({5.0}), at::tensor({5L}), 10));
  one.add(two);
  EXPECT_EQ(one.means()[5], 2.0);
}

TEST(TimestepLosses, AreSummedOnGpusAsOnCpus) {
  const at::Tensor losses = at::rand({200}, at::kDouble), t = at::randint(15, {200}, at::kLong);
  EXPECT_TRUE(at::allclose(sum_by_products(losses, t, 15), sum_by_timestep(losses, t, 15), 1e-12));
}

TEST(TimestepLosses, NameRangesThatTogetherAreAllTimeSteps) {
  EXPECT_THAT(timestep_ranges(1000),
              ElementsAre("0-99", "100-199", "200-299", "300-399", "400-499", "500-599", "600-699",
                          "700-799", "800-899", "900-999"));
  // Where T is no multiple of ten, range i holds the t with floor(10 t / T) = i.
  EXPECT_THAT(timestep_ranges(15), ElementsAre("0-1", "2-2", "3-4", "5-5", "6-7", "8-8", "9-10",
                                               "11-11", "12-13", "14-14"));
  const at::Tensor t = at::arange(15);
  const at::Tensor counts = sum_by_timestep(at::ones(15), t, 15).narrow(0, 10, 10);
  EXPECT_TRUE(counts.equal(at::tensor({2., 1., 2., 1., 2., 1., 2., 1., 2., 1.}, at::kDouble)));
}

}  // namespace
}  // namespace effuse
