#include <gmock/gmock.h>

#include "core/error.hpp"
#include "support/error_message.hpp"
#include "training/duration.hpp"
#include "training/lr_schedule.hpp"
#include "training/update.hpp"

namespace effuse {
namespace {

using ::testing::HasSubstr;

TEST(LearningRate, warms_up_from_its_first_share_to_the_peak) {
  OptimizerConfig config{.lr = 0.8, .warmup_steps = 4};
  EXPECT_DOUBLE_EQ(learning_rate(config, 0, 100), 0.2);
  EXPECT_DOUBLE_EQ(learning_rate(config, 3, 100), 0.8);
  EXPECT_DOUBLE_EQ(learning_rate(config, 99, 100), 0.8);
}

TEST(LearningRate, falls_from_the_peak_to_its_final_value_at_the_last_step) {
  for (const char* course : {"linear", "cosine"}) {
    const OptimizerConfig config{
        .lr = 0.8, .lr_schedule = course, .warmup_steps = 10, .final_lr_ratio = 0.25};
    EXPECT_DOUBLE_EQ(learning_rate(config, 9, 111), 0.8) << course;
    EXPECT_DOUBLE_EQ(learning_rate(config, 10, 111), 0.8) << course;
    EXPECT_DOUBLE_EQ(learning_rate(config, 60, 111), 0.5) << course << ", half-way";
    EXPECT_DOUBLE_EQ(learning_rate(config, 110, 111), 0.2) << course;
    EXPECT_DOUBLE_EQ(learning_rate(config, 500, 111), 0.2) << course << ", past the end";
  }
}

TEST(LearningRate, of_a_run_no_longer_than_its_warm_up) {
  const OptimizerConfig config{.lr = 1.0, .lr_schedule = "linear", .warmup_steps = 5};
  EXPECT_DOUBLE_EQ(learning_rate(config, 4, 5), 1.0);
  EXPECT_DOUBLE_EQ(learning_rate({.lr = 1.0, .lr_schedule = "linear"}, 0, 1), 0.0);
}

TEST(EmaDecay, is_reached_through_a_warm_up) {
  const EmaConfig warm{.decay = 0.9, .warmup = true};
  EXPECT_DOUBLE_EQ(ema_decay(warm, 1), 2.0 / 11.0);
  EXPECT_DOUBLE_EQ(ema_decay(warm, 80), 0.9);
  EXPECT_DOUBLE_EQ(ema_decay(warm, 1000), 0.9);
  EXPECT_DOUBLE_EQ(ema_decay({.decay = 0.9, .warmup = false}, 1), 0.9);
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
