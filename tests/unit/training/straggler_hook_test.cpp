#include "training/straggler_hook.hpp"

#include <gmock/gmock.h>

#include "core/text.hpp"
#include "support/world.hpp"

namespace effuse {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::world;

/// A step of which the other ranks' waiting is left over.
StepReport step(std::int64_t number, double own_s) {
  StepReport report;
  report.step = number;
  report.wall_s = 4.0;
  report.forward_s = own_s;
  report.exposed_s = 4.0 - own_s;
  return report;
}

/// The last rank takes four times as long where it is slow.
void make_steps(StragglerHook& hook, std::int64_t first, std::int64_t last, bool is_slow) {
  const bool slow_here = is_slow && world().rank() + 1 == world().world_size();
  for (std::int64_t i = first; i <= last; ++i) hook.after_step(step(i, slow_here ? 4.0 : 1.0));
}

TEST(StragglerHook, compares_the_ranks_at_the_steps_it_was_told) {
  metrics::Registry registry;
  const ParallelConfig config{.straggler_every_steps = 5, .straggler_ratio = 0.75};
  StragglerHook hook(world(), config, /*batch_size=*/6, registry);
  hook.before_training(0);
  const int last = world().world_size() - 1;
  const auto speed = [&](const char* value) {
    return cat("effuse_train_rank_speed_ratio{of_rank=\"", last, "\"} ", value, "\n");
  };
  make_steps(hook, 1, 4, true);
  if (world().rank() == 0) {
    EXPECT_THAT(registry.text(), HasSubstr(speed("1"))) << "not compared yet";
  }
  make_steps(hook, 5, 9, true);
  if (world().rank() == 0) {
    EXPECT_THAT(registry.text(), HasSubstr(speed("0.25")));
    EXPECT_THAT(registry.text(), HasSubstr(cat("effuse_train_slowest_rank ", last, "\n")));
    EXPECT_THAT(registry.text(), HasSubstr("{of_rank=\"0\"} 1\n"));
  } else {
    EXPECT_EQ(registry.text(), "") << "rank 0 speaks for all";
  }
  make_steps(hook, 10, 10, true);
  make_steps(hook, 11, 15, false);
  if (world().rank() == 0) {
    EXPECT_THAT(registry.text(), AllOf(HasSubstr(speed("1")), Not(HasSubstr(speed("0.25")))))
        << "each interval by itself";
  }
}

}  // namespace
}  // namespace effuse
