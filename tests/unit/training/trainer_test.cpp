#include "training/trainer.hpp"

#include <gmock/gmock.h>

#include <cmath>

#include "unit/training/small_run.hpp"

namespace effuse {
namespace {

using ::testing::ElementsAre;

Config with_drill(const char* fault, std::int64_t step) {
  Config config;
  config.drill = {.fault = fault, .step = step, .rank = 0};
  return config;
}

TEST(Trainer, looks_at_a_step_once_the_next_is_under_way) {
  SmallRun run;
  Diary::Page page;
  EXPECT_EQ(run.run(4, hooks_of(Diary(page))), TrainingEnd::finished);
  EXPECT_THAT(page.events, ElementsAre("begin 0", "before 1", "before 2", "after 1", "before 3",
                                       "after 2", "before 4", "after 3", "after 4", "end 4"));
}

TEST(Trainer, does_not_begin_the_next_step_where_a_hook_looks_at_the_state) {
  SmallRun run;
  Diary::Page page, other;
  run.run(4, hooks_of(Diary(other), Diary(page, {2})));
  const std::vector<std::string> expected = {"begin 0", "before 1", "before 2", "after 1",
                                             "after 2", "before 3", "before 4", "after 3",
                                             "after 4", "end 4"};
  EXPECT_EQ(page.events, expected);
  EXPECT_EQ(other.events, expected) << "what one hook asks for holds for all";
}

TEST(Trainer, shows_a_hook_the_state_that_its_step_left) {
  SmallRun long_run;
  Diary::Page page;
  long_run.run(5, hooks_of(Diary(page, {1, 3, 5}, &long_run.state)));
  ASSERT_EQ(page.weights.size(), 3u);
  for (const std::int64_t steps : {1, 3, 5}) {
    SmallRun run;
    run.run(steps, {});
    EXPECT_TRUE(
        at::equal(run.state.parameters(), page.weights[static_cast<std::size_t>(steps / 2)]))
        << "after " << steps;
  }
}

TEST(Trainer, goes_on_from_the_step_it_is_given) {
  SmallRun whole, parts;
  Diary::Page page, first, second;
  whole.run(6, hooks_of(Diary(page)));
  parts.run(2, hooks_of(Diary(first)));
  parts.run(6, hooks_of(Diary(second)), 3, 2);
  ASSERT_EQ(second.reports.size(), 4u);
  EXPECT_EQ(second.reports[0].step, 3);
  EXPECT_EQ(second.reports[0].loss, page.reports[2].loss);
}

TEST(Trainer, reports_what_a_step_did) {
  SmallRun run;
  Diary::Page page;
  run.run(4, hooks_of(Diary(page)));
  for (std::size_t i = 0; i < 4; ++i) {
    const StepReport& report = page.reports[i];
    EXPECT_EQ(report.images, static_cast<std::int64_t>(i + 1) * SmallRun::kBatch);
    EXPECT_EQ(report.epoch, i < 3 ? 0 : 1) << "13 images, of 4 a step";
    EXPECT_GT(report.loss, 0.0);
    EXPECT_GT(report.grad_norm, 0.0);
    EXPECT_TRUE(report.good);
    EXPECT_GT(report.forward_s, 0.0);
    EXPECT_GT(report.backward_s, 0.0);
    EXPECT_GT(report.update_s, 0.0);
  }
}

TEST(BadStep, changes_nothing_and_the_run_goes_on) {
  SmallRun run(with_drill("nan", 2));
  Diary::Page page;
  EXPECT_EQ(run.run(4, hooks_of(Diary(page, {1, 2, 3}, &run.state))), TrainingEnd::finished);
  EXPECT_TRUE(at::equal(page.weights[0], page.weights[1]));
  EXPECT_FALSE(at::equal(page.weights[1], page.weights[2]));
  EXPECT_FALSE(page.reports[1].good);
  EXPECT_TRUE(std::isnan(page.reports[1].loss));
  EXPECT_TRUE(page.reports[2].good);
  EXPECT_TRUE(run.state.average().isfinite().all().item<bool>());
}

TEST(BadStep, too_many_end_the_loop_even_where_the_step_under_way_is_good) {
  SmallRun run(with_drill("nan", 3));
  Diary::Page page;
  EXPECT_EQ(run.run(9, hooks_of(Diary(page)), /*bad_steps=*/0), TrainingEnd::diverged);
  EXPECT_EQ(page.reports.back().step, 4) << "which was under way when the third was looked at";
  EXPECT_TRUE(page.reports.back().good);
}

TEST(BadStep, that_is_the_last_ends_the_loop_as_diverged_too) {
  SmallRun run(with_drill("nan", 3));
  EXPECT_EQ(run.run(3, {}, /*bad_steps=*/0), TrainingEnd::diverged);
}

TEST(BadStep, may_be_an_overflow_of_fp16_that_a_smaller_loss_scale_mends) {
  StepReport report;
  EXPECT_FALSE(report.overflowed()) << "a good step";
  report.good = false;
  report.loss = 1.0;
  report.grad_norm = INFINITY;
  EXPECT_FALSE(report.overflowed()) << "of an unscaled loss: nothing will mend it";
  report.loss_scale = 2.0;
  EXPECT_TRUE(report.overflowed());
  report.grad_norm = 1e9;
  EXPECT_FALSE(report.overflowed()) << "a spike";
  report.grad_norm = NAN;
  EXPECT_TRUE(report.overflowed());
  report.loss = NAN;
  EXPECT_FALSE(report.overflowed()) << "which the scale has no part in";
}

Config fp16_with_nan(std::int64_t step) {
  Config config = with_drill("nan", step);
  config.precision.compute = "fp16";
  return config;
}

TEST(BadStep, of_fp16_counts_where_the_loss_itself_is_not_finite) {
  SmallRun run(fp16_with_nan(2));
  EXPECT_EQ(run.run(4, {}, /*bad_steps=*/0), TrainingEnd::diverged);
}

TEST(BadStep, of_fp16_that_merely_overflowed_does_not_count) {
  Config config;
  config.precision.compute = "fp16";
  config.precision.loss_scale = 16777216;  // more than the loss of this network bears
  SmallRun run(config);
  Diary::Page page;
  EXPECT_EQ(run.run(12, hooks_of(Diary(page)), /*bad_steps=*/0), TrainingEnd::finished);
  EXPECT_FALSE(page.reports.front().good);
  EXPECT_TRUE(page.reports.back().good);
  EXPECT_LT(page.reports.back().loss_scale, 16777216);
}

}  // namespace
}  // namespace effuse
