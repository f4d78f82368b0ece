#include "training/step_timeline.hpp"

#include <gtest/gtest.h>

namespace effuse {
namespace {

/// A step of 100 ms.
StepReport step() {
  StepReport report;
  report.wall_s = 0.1;
  report.data_wait_s = 0.001;
  report.forward_s = 0.031;
  report.backward_s = 0.058;
  report.exposed_s = 0.003;
  report.update_s = 0.006;
  report.communication_s = 0.024;
  return report;
}

TEST(StepTimeline, says_where_the_time_of_a_step_went) {
  StepTimeline timeline;
  timeline.add(step());
  timeline.add(step());
  EXPECT_EQ(timeline.steps, 2);
  EXPECT_DOUBLE_EQ(timeline.stalled_s(), 0.002);
  EXPECT_NEAR(timeline.other_s(), 0.002, 1e-12);
  EXPECT_DOUBLE_EQ(*timeline.hidden_ratio(), 0.875);
  EXPECT_EQ(describe(timeline),
            "100 ms: data 1 %, forward 31 %, backward 58 %, exposed communication 3 % (88 % "
            "hidden), update 6 %, other 1 %");
}

TEST(StepTimeline, of_one_rank_speaks_of_no_communication) {
  StepReport report = step();
  report.communication_s = report.exposed_s = 0.0;
  StepTimeline timeline;
  timeline.add(report);
  EXPECT_FALSE(timeline.hidden_ratio());
  EXPECT_EQ(describe(timeline),
            "100 ms: data 1 %, forward 31 %, backward 58 %, update 6 %, other 4 %");
}

TEST(StepTimeline, a_wait_for_data_that_computing_hides_is_no_stall) {
  StepReport report = step();
  report.data_wait_s = 0.05;
  StepTimeline timeline;
  timeline.add(report);
  EXPECT_NEAR(timeline.stalled_s(), 0.002, 1e-12) << "what the parts leave of the wall clock";
  EXPECT_NEAR(timeline.other_s(), 0.0, 1e-12);
}

TEST(StepTimeline, communication_that_took_longer_to_wait_for_than_itself_hid_nothing) {
  StepReport report = step();
  report.exposed_s = 0.03;
  StepTimeline timeline;
  timeline.add(report);
  EXPECT_EQ(timeline.hidden_ratio(), 0.0);
  EXPECT_EQ(timeline.stalled_s(), 0.0) << "parts of a step that was reported late";
}

TEST(StepTimeline, counts_bad_steps) {
  StepReport report = step();
  report.good = false;
  StepTimeline timeline;
  timeline.add(report);
  timeline.add(step());
  EXPECT_EQ(timeline.bad_steps, 1);
}

TEST(Milliseconds, have_two_digits_that_count) {
  EXPECT_EQ(milliseconds(0.00025), "0.25 ms");
  EXPECT_EQ(milliseconds(0.0081), "8.1 ms");
  EXPECT_EQ(milliseconds(0.812), "812 ms");
  EXPECT_EQ(milliseconds(12.5), "12500 ms");
}

}  // namespace
}  // namespace effuse
