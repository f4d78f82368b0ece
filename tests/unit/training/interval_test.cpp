#include "training/interval.hpp"

#include <gmock/gmock.h>

namespace effuse {
namespace {

using ::testing::ElementsAre;

/// A step that took two seconds, with `loss` at the range of its number.
StepReport report_of(std::int64_t step, double loss, double began_s) {
  std::array<double, TimestepLosses::kRanges> sums{}, counts{};
  const auto range = static_cast<std::size_t>(step);
  sums[range] = loss;
  counts[range] = 1.0;
  StepReport report;
  report.step = step;
  report.grad_norm = 10.0 * static_cast<double>(step);
  report.ended_s = began_s + 2.0 * static_cast<double>(step);
  report.timestep_losses.add(sums.data(), counts.data());
  return report;
}

class Told : public IntervalListener {
 public:
  void after_interval(const StepReport& last, const Interval& interval) override {
    intervals.emplace_back(last.step, interval);
  }
  std::vector<std::pair<std::int64_t, Interval>> intervals;
};

TEST(Interval, each_is_told_to_all_and_the_last_step_ends_one) {
  Told one, other;
  IntervalHook hook({.batch_size = 8, .every_steps = 3, .total_steps = 7}, {&one, &other});
  hook.before_training(0);
  const double began_s = steady_time_s();
  for (std::int64_t step = 1; step <= 7; ++step) {
    hook.before_step(step);
    hook.after_step(report_of(step, 0.5, began_s));
  }
  for (const Told* told : {&one, &other}) {
    ASSERT_EQ(told->intervals.size(), 3U);
    EXPECT_EQ(told->intervals[0].first, 3);
    EXPECT_EQ(told->intervals[1].first, 6);
    EXPECT_EQ(told->intervals[2].first, 7);
  }
  EXPECT_THAT(one.intervals[0].second.grad_norms, ElementsAre(10, 20, 30));
  EXPECT_THAT(one.intervals[1].second.grad_norms, ElementsAre(40, 50, 60));
  EXPECT_THAT(one.intervals[2].second.grad_norms, ElementsAre(70));
  EXPECT_NEAR(one.intervals[0].second.images_per_s, 4.0, 0.1) << "from the begin of the first";
  EXPECT_NEAR(one.intervals[1].second.images_per_s, 4.0, 1e-9);
  EXPECT_NEAR(one.intervals[2].second.images_per_s, 4.0, 1e-9);
}

TEST(Interval, losses_by_time_step_are_those_of_its_steps_alone) {
  Told told;
  IntervalHook hook({.batch_size = 8, .every_steps = 2, .total_steps = 4}, {&told});
  hook.before_training(0);
  for (std::int64_t step = 1; step <= 4; ++step) {
    hook.before_step(step);
    hook.after_step(report_of(step, 0.1 * static_cast<double>(step), steady_time_s()));
  }
  const auto first = told.intervals[0].second.losses.means();
  const auto second = told.intervals[1].second.losses.means();
  EXPECT_EQ(first[1], 0.1);
  EXPECT_EQ(first[2], 0.2);
  EXPECT_FALSE(first[3] || first[4] || second[1] || second[2]);
  EXPECT_DOUBLE_EQ(second[3].value(), 0.3);
  EXPECT_DOUBLE_EQ(second[4].value(), 0.4);
}

}  // namespace
}  // namespace effuse
