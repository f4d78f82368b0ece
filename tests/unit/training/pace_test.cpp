#include "training/pace.hpp"

#include <gtest/gtest.h>

#include "training/stopwatch.hpp"

namespace effuse {
namespace {

TEST(Pace, the_first_step_counts_as_long_as_there_is_no_other) {
  Pace pace;
  pace.begin_step();
  const double began_s = steady_time_s();
  pace.end_step(began_s + 10.0);
  EXPECT_NEAR(pace.step_s(), 10.0, 0.1);
  pace.begin_step();
  pace.end_step(began_s + 12.0);
  EXPECT_NEAR(pace.step_s(), 2.0, 1e-9);
  pace.begin_step();
  pace.end_step(began_s + 16.0);
  EXPECT_NEAR(pace.step_s(), 3.0, 1e-9) << "with what passes between steps";
  EXPECT_EQ(pace.steps(), 3);
}

}  // namespace
}  // namespace effuse
