#include <gmock/gmock.h>

#include <cmath>

#include "core/error.hpp"
#include "support/error_message.hpp"
#include "training/average.hpp"
#include "training/duration.hpp"
#include "training/lr_schedule.hpp"

namespace effuse {
namespace {

using ::testing::HasSubstr;

/// The peak is 0.8 and the final value, of what falls, 0.2.
OptimizerConfig course(const char* name, std::int64_t warmup_steps) {
  return {.lr = 0.8, .lr_schedule = name, .warmup_steps = warmup_steps, .final_lr_ratio = 0.25};
}

TEST(LearningRate, that_is_constant_stays) {
  for (const std::int64_t step : {0, 1, 50, 99, 100}) {
    EXPECT_DOUBLE_EQ(learning_rate(course("constant", 0), step, 100), 0.8) << step;
  }
}

TEST(LearningRate, falls_from_the_peak_at_the_first_step_to_its_final_value_at_the_last) {
  for (const char* name : {"linear", "cosine"}) {
    const OptimizerConfig config = course(name, 0);
    EXPECT_DOUBLE_EQ(learning_rate(config, 0, 101), 0.8) << name;
    EXPECT_DOUBLE_EQ(learning_rate(config, 50, 101), 0.5) << name << ", half-way";
    EXPECT_GT(learning_rate(config, 99, 101), 0.2) << name << ", last but one";
    EXPECT_DOUBLE_EQ(learning_rate(config, 100, 101), 0.2) << name;
    EXPECT_DOUBLE_EQ(learning_rate(config, 500, 101), 0.2) << name << ", past the end";
  }
}

TEST(LearningRate, falls_in_a_line_or_in_half_a_cosine) {
  EXPECT_DOUBLE_EQ(learning_rate(course("linear", 0), 25, 101), 0.65);
  EXPECT_DOUBLE_EQ(learning_rate(course("cosine", 0), 25, 101), 0.5 + 0.3 * std::sqrt(0.5));
}

TEST(LearningRate, warms_up_from_its_first_share_to_the_peak_before_any_course) {
  for (const char* name : {"constant", "linear", "cosine"}) {
    const OptimizerConfig config = course(name, 10);
    const double last = config.lr_schedule == "constant" ? 0.8 : 0.2;
    const double half_way = config.lr_schedule == "constant" ? 0.8 : 0.5;
    EXPECT_DOUBLE_EQ(learning_rate(config, 0, 111), 0.08) << name;
    EXPECT_DOUBLE_EQ(learning_rate(config, 4, 111), 0.4) << name;
    EXPECT_DOUBLE_EQ(learning_rate(config, 9, 111), 0.8) << name << ", last of the warm-up";
    EXPECT_DOUBLE_EQ(learning_rate(config, 10, 111), 0.8) << name << ", first of the course";
    EXPECT_DOUBLE_EQ(learning_rate(config, 60, 111), half_way) << name;
    EXPECT_DOUBLE_EQ(learning_rate(config, 110, 111), last) << name;
  }
}

TEST(LearningRate, of_a_run_no_longer_than_its_warm_up) {
  for (const char* name : {"constant", "linear", "cosine"}) {
    EXPECT_DOUBLE_EQ(learning_rate(course(name, 5), 0, 5), 0.16) << name;
    EXPECT_DOUBLE_EQ(learning_rate(course(name, 5), 4, 5), 0.8) << name;
    EXPECT_DOUBLE_EQ(learning_rate(course(name, 5), 2, 3), 0.48) << name << ", cut short";
  }
}

TEST(LearningRate, of_a_run_of_one_step_is_that_of_the_last) {
  EXPECT_DOUBLE_EQ(learning_rate(course("constant", 0), 0, 1), 0.8);
  EXPECT_DOUBLE_EQ(learning_rate(course("linear", 0), 0, 1), 0.2);
  EXPECT_DOUBLE_EQ(learning_rate(course("cosine", 0), 0, 1), 0.2);
  EXPECT_DOUBLE_EQ(learning_rate(course("cosine", 1), 0, 1), 0.8) << "which warms up";
}

TEST(EmaDecay, is_reached_through_a_warm_up) {
  const EmaConfig warm{.decay = 0.9, .warmup = true};
  EXPECT_DOUBLE_EQ(ema_decay(warm, 1), 2.0 / 11.0);
  EXPECT_DOUBLE_EQ(ema_decay(warm, 80), 0.9);
  EXPECT_DOUBLE_EQ(ema_decay(warm, 1000), 0.9);
  EXPECT_DOUBLE_EQ(ema_decay({.decay = 0.9, .warmup = false}, 1), 0.9);
}

TEST(EmaDecay, is_nothing_while_the_weights_are_copied) {
  const EmaConfig iddm{.decay = 0.995, .warmup = false, .copy_steps = 2000};
  EXPECT_EQ(ema_decay(iddm, 1), 0.0);
  EXPECT_EQ(ema_decay(iddm, 2000), 0.0);
  EXPECT_EQ(ema_decay(iddm, 2001), 0.995);
}

TEST(EmaDecay, warms_up_by_the_steps_of_the_run_whether_copied_or_not) {
  const EmaConfig both{.decay = 0.9999, .warmup = true, .copy_steps = 2000};
  EXPECT_EQ(ema_decay(both, 1), 0.0);
  EXPECT_EQ(ema_decay(both, 2000), 0.0);
  EXPECT_DOUBLE_EQ(ema_decay(both, 2001), 2002.0 / 2011.0);
}

TEST(TotalSteps, follow_from_any_one_duration) {
  EXPECT_EQ(total_steps({.steps = 7, .batch_size = 8}, 40), 7);
  EXPECT_EQ(total_steps({.images = 80, .batch_size = 8}, 40), 10);
  EXPECT_EQ(total_steps({.images = 81, .batch_size = 8}, 40), 11);
  EXPECT_EQ(total_steps({.epochs = 3, .batch_size = 32}, 40), 4);
  EXPECT_EQ(total_steps({.epochs = 1, .batch_size = 128}, 40), 1);
}

TEST(TotalSteps, wants_exactly_one_duration) {
  EXPECT_THAT(message_of<ConfigError>([] { total_steps({}, 40); }), HasSubstr("missing"));
  EXPECT_THAT(message_of<ConfigError>([] { total_steps({.steps = 1, .epochs = 2}, 40); }),
              HasSubstr("given twice"));
}

}  // namespace
}  // namespace effuse
