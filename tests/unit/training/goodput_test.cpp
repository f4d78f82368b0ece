#include "training/goodput.hpp"

#include <gmock/gmock.h>

#include <numeric>

#include "training/goodput_meter.hpp"

namespace effuse {
namespace {

using ::testing::ElementsAre;
using Stretch = Goodput::Stretch;

constexpr double kBegin = 1.7e9;  // unix time

/// `count` steps of a second: 0.1 s waiting for data, 0.2 s for communication.
StepTimeline steps(std::int64_t count, std::int64_t bad = 0) {
  StepReport report;
  report.wall_s = 1.0;
  report.data_wait_s = 0.1;
  report.forward_s = 0.3;
  report.backward_s = 0.3;
  report.exposed_s = 0.2;
  report.update_s = 0.1;
  StepTimeline timeline;
  for (std::int64_t i = 0; i < count; ++i) {
    report.good = i >= bad;
    timeline.add(report);
  }
  return timeline;
}

/// After a start-up of 10 s.
Goodput begun() {
  Goodput goodput;
  goodput.begin_attempt(kBegin, kBegin + 10, 0);
  return goodput;
}

void expect_whole(const Goodput& goodput) {
  const auto& lost = goodput.state().lost_s;
  EXPECT_NEAR(goodput.productive_s() + std::accumulate(lost.begin(), lost.end(), 0.0),
              goodput.total_s(), 1e-9);
}

TEST(Goodput, of_a_bad_step_that_only_waited_is_no_gain) {
  StepReport computed;
  computed.wall_s = 1.0;
  StepTimeline known;
  known.add(computed);
  StepReport waited;
  waited.wall_s = 0.1;
  waited.exposed_s = 0.6;  // the report of a wait that began in the step before
  waited.good = false;
  StepTimeline both = known;
  both.add(waited);
  Goodput goodput = begun();
  goodput.add_steps(known, 1);
  goodput.add_steps(both, 2, known);
  EXPECT_DOUBLE_EQ(goodput.lost_s(Lost::bad_steps), 0);
  EXPECT_DOUBLE_EQ(goodput.lost_s(Lost::communication), 0.6);
  EXPECT_DOUBLE_EQ(goodput.productive_s(), 0.5);
  EXPECT_EQ(goodput.state().bad_steps, 1);
  expect_whole(goodput);
}

TEST(Goodput, of_a_run_that_ends_as_it_should) {
  Goodput goodput = begun();
  goodput.add_steps(steps(50), 50);
  goodput.add_lost(Lost::checkpoint, 3);
  goodput.add_lost(Lost::preview, 2);
  goodput.add_steps(steps(50), 100);
  goodput.finish();
  EXPECT_DOUBLE_EQ(goodput.total_s(), 115);
  EXPECT_DOUBLE_EQ(goodput.lost_s(Lost::startup), 10);
  EXPECT_NEAR(goodput.lost_s(Lost::data_wait), 10, 1e-9);
  EXPECT_NEAR(goodput.lost_s(Lost::communication), 20, 1e-9);
  EXPECT_DOUBLE_EQ(goodput.lost_s(Lost::checkpoint), 3);
  EXPECT_DOUBLE_EQ(goodput.lost_s(Lost::preview), 2);
  EXPECT_NEAR(goodput.productive_s(), 70, 1e-9);
  EXPECT_NEAR(goodput.ratio(), 70.0 / 115.0, 1e-9);
  EXPECT_EQ(goodput.state().redone_steps, 0);
  expect_whole(goodput);
}

TEST(Goodput, of_an_attempt_that_was_killed_counts_the_time_until_the_next_and_what_is_redone) {
  Goodput goodput = begun();
  goodput.add_steps(steps(100), 100);  // the last sign of life: 110 s
  goodput.begin_attempt(kBegin + 200, kBegin + 205, 75);
  EXPECT_DOUBLE_EQ(goodput.lost_s(Lost::down), 90);
  EXPECT_DOUBLE_EQ(goodput.lost_s(Lost::startup), 15);
  EXPECT_NEAR(goodput.lost_s(Lost::redone), 25 * 0.7, 1e-9);
  EXPECT_EQ(goodput.state().redone_steps, 25);
  EXPECT_EQ(goodput.state().attempts, 2);
  EXPECT_NEAR(goodput.productive_s(), 75 * 0.7, 1e-9);
  EXPECT_DOUBLE_EQ(goodput.total_s(), 205);
  expect_whole(goodput);
  goodput.add_steps(steps(25), 100);
  EXPECT_NEAR(goodput.productive_s(), 100 * 0.7, 1e-9);
  EXPECT_DOUBLE_EQ(goodput.total_s(), 230);
  expect_whole(goodput);
}

TEST(Goodput, of_an_attempt_that_stopped_in_order_has_nothing_to_redo) {
  Goodput goodput = begun();
  goodput.add_steps(steps(40), 40);
  goodput.begin_attempt(kBegin + 60, kBegin + 61, 40);
  EXPECT_EQ(goodput.state().redone_steps, 0);
  EXPECT_EQ(goodput.lost_s(Lost::redone), 0);
  EXPECT_DOUBLE_EQ(goodput.lost_s(Lost::down), 10);
  expect_whole(goodput);
}

TEST(Goodput, going_back_reaches_over_several_attempts) {
  Goodput goodput = begun();
  goodput.add_steps(steps(40), 40);
  goodput.begin_attempt(kBegin + 50, kBegin + 50, 40);
  goodput.add_steps(steps(20), 60);
  goodput.begin_attempt(kBegin + 70, kBegin + 70, 60);
  goodput.begin_attempt(kBegin + 80, kBegin + 80, 60);
  goodput.add_steps(steps(10), 70);
  goodput.go_back(30);
  EXPECT_EQ(goodput.state().redone_steps, 40);
  EXPECT_NEAR(goodput.productive_s(), 30 * 0.7, 1e-9);
  EXPECT_NEAR(goodput.lost_s(Lost::redone), 40 * 0.7, 1e-9);
  EXPECT_EQ(goodput.state().kept.back(), (Stretch{30, 30, 0.0, 4}));
  goodput.go_back(0);
  EXPECT_THAT(goodput.state().kept, ElementsAre(Stretch{0, 0, 0.0, 4}));
  EXPECT_NEAR(goodput.productive_s(), 0.0, 1e-9);
  expect_whole(goodput);
}

TEST(Goodput, of_attempts_without_a_step_grows_no_longer) {
  Goodput goodput = begun();
  for (int i = 1; i <= 50; ++i) {
    goodput.begin_attempt(kBegin + 20 * i, kBegin + 20 * i + 5, 0);
  }
  EXPECT_EQ(goodput.state().kept.size(), 1U);
  EXPECT_EQ(goodput.state().attempts, 51);
  EXPECT_EQ(goodput.ratio(), 0.0);
  expect_whole(goodput);
}

TEST(Goodput, of_bad_steps_is_lost) {
  Goodput goodput = begun();
  goodput.add_steps(steps(10, 4), 10);
  EXPECT_EQ(goodput.state().bad_steps, 4);
  EXPECT_NEAR(goodput.lost_s(Lost::bad_steps), 4 * 0.7, 1e-9);
  EXPECT_NEAR(goodput.productive_s(), 6 * 0.7, 1e-9);
  expect_whole(goodput);
}

TEST(Goodput, the_time_before_a_finished_run_is_made_longer_is_not_the_runs) {
  Goodput goodput = begun();
  goodput.add_steps(steps(40), 40);
  goodput.finish();
  goodput.begin_attempt(kBegin + 100'000, kBegin + 100'010, 40);
  EXPECT_DOUBLE_EQ(goodput.total_s(), 60);
  EXPECT_EQ(goodput.lost_s(Lost::down), 0);
  EXPECT_FALSE(goodput.state().finished);
  expect_whole(goodput);
}

TEST(Goodput, of_a_host_whose_clock_is_behind_does_not_shrink) {
  Goodput goodput = begun();
  goodput.add_steps(steps(40), 40);
  goodput.begin_attempt(kBegin - 20, kBegin - 15, 40);
  EXPECT_EQ(goodput.lost_s(Lost::down), 0);
  EXPECT_DOUBLE_EQ(goodput.total_s(), 50);
  goodput.begin_attempt(kBegin + 45, kBegin + 55, 40);
  EXPECT_DOUBLE_EQ(goodput.total_s(), 55);
  EXPECT_DOUBLE_EQ(goodput.lost_s(Lost::startup), 15);
  expect_whole(goodput);
}

TEST(Goodput, of_a_run_whose_account_begins_late_counts_from_there) {
  Goodput goodput;
  goodput.begin_attempt(kBegin, kBegin + 10, 5000);
  goodput.add_steps(steps(10), 5010);
  EXPECT_EQ(goodput.state().redone_steps, 0);
  EXPECT_THAT(goodput.state().kept, ElementsAre(Stretch{5000, 5010, goodput.productive_s(), 1}));
  goodput.go_back(4990);
  EXPECT_EQ(goodput.state().redone_steps, 10);
  expect_whole(goodput);
}

TEST(Goodput, is_said_with_what_is_lost_most_first) {
  Goodput goodput = begun();
  EXPECT_EQ(describe(goodput), "0.0 % of 10 s; lost: start-up 100.0 %");
  goodput.add_steps(steps(7780), 7780);
  goodput.add_lost(Lost::other, 2);
  EXPECT_EQ(describe(goodput),
            "69.9 % of 2 h 9 min; lost: communication 20.0 %, waiting for data 10.0 %, start-up "
            "0.1 %");
}

TEST(Goodput, names_every_reason_of_lost_time) {
  Goodput goodput = begun();
  goodput.add_lost(Lost::down, 20);
  goodput.add_lost(Lost::evaluation, 15);
  goodput.add_lost(Lost::bad_steps, 5);
  EXPECT_EQ(describe(goodput),
            "0.0 % of 50 s; lost: down 40.0 %, evaluations 30.0 %, start-up 20.0 %, bad "
            "steps 10.0 %");
}

/// A clock that is set by hand.
class GoodputMeterTest : public ::testing::Test {
 protected:
  void pass(double seconds) { passed_s_ += seconds; }

  void step(std::int64_t number, bool good = true) {
    StepReport report;
    report.step = number;
    report.good = good;
    report.wall_s = 1.0;
    report.forward_s = 0.9;
    report.data_wait_s = 0.1;
    pass(1.0);
    meter_.add(report);
  }

  double lost_s(Lost reason) const { return meter_.goodput().lost_s(reason); }

  double passed_s_ = 0.0;
  GoodputMeter meter_{begun(), [this] { return std::exchange(passed_s_, 0.0); }};
};

TEST_F(GoodputMeterTest, gives_every_second_a_place) {
  pass(4);
  meter_.spent(Lost::preview, 3);  // of the 4
  meter_.begin_training(0);
  EXPECT_DOUBLE_EQ(lost_s(Lost::startup), 11);
  EXPECT_DOUBLE_EQ(lost_s(Lost::preview), 3);
  step(1);
  step(2);
  pass(0.5);  // hooks that nobody times
  pass(2);
  meter_.spent(Lost::checkpoint, 2);
  EXPECT_EQ(meter_.settle().steps, 2);
  EXPECT_DOUBLE_EQ(lost_s(Lost::checkpoint), 2);
  EXPECT_DOUBLE_EQ(lost_s(Lost::other), 0.5);
  EXPECT_DOUBLE_EQ(lost_s(Lost::data_wait), 0.2);
  EXPECT_DOUBLE_EQ(meter_.goodput().productive_s(), 1.8);
  EXPECT_EQ(meter_.settle().steps, 0);
  step(3);
  meter_.end_training(true);
  EXPECT_EQ(meter_.steps().steps, 3);
  EXPECT_TRUE(meter_.goodput().state().finished);
  EXPECT_DOUBLE_EQ(meter_.goodput().total_s(), 10 + 4 + 2 + 2.5 + 1);
  expect_whole(meter_.goodput());
}

TEST_F(GoodputMeterTest, loses_nothing_by_reports_that_come_a_step_late) {
  meter_.begin_training(0);
  for (int i = 1; i <= 4; ++i) {
    StepReport report;
    report.step = i;
    report.forward_s = 0.25;
    report.exposed_s = 0.75;
    report.wall_s = i == 1 ? 2.0 : i == 4 ? 0.0 : 1.0;  // two at first, and none after the last
    pass(report.wall_s);
    meter_.add(report);
    meter_.settle();
  }
  EXPECT_DOUBLE_EQ(lost_s(Lost::communication), 3.0);
  EXPECT_DOUBLE_EQ(meter_.goodput().productive_s(), 1.0);
  expect_whole(meter_.goodput());
}

TEST_F(GoodputMeterTest, going_back_is_start_up_until_the_next_step) {
  meter_.begin_training(0);
  for (int i = 1; i <= 10; ++i) step(i, i <= 7);
  meter_.end_training(false);
  EXPECT_EQ(meter_.goodput().state().bad_steps, 3);
  pass(5);
  meter_.begin_training(5);
  EXPECT_DOUBLE_EQ(lost_s(Lost::startup), 15);
  EXPECT_EQ(meter_.goodput().state().redone_steps, 5);
  EXPECT_EQ(meter_.goodput().state().attempts, 1);
  for (int i = 6; i <= 10; ++i) step(i);
  meter_.end_training(true);
  EXPECT_NEAR(lost_s(Lost::bad_steps), 3 * 0.9, 1e-9);
  EXPECT_NEAR(meter_.goodput().productive_s(), 0.5 * 7 * 0.9 + 5 * 0.9, 1e-9);
  EXPECT_FALSE(meter_.goodput().state().kept.empty());
  expect_whole(meter_.goodput());
}

}  // namespace
}  // namespace effuse
