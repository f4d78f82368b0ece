#include "training/drill_hook.hpp"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <torch/nn/modules/linear.h>

#include "support/error_message.hpp"
#include "support/world.hpp"

/// The faults that a process survives; the others are in tests/failure/drill_test.py.
namespace effuse {
namespace {

using ::testing::HasSubstr;
using testing::world;

class Drilled : public ::testing::Test {
 protected:
  void run(const std::string& fault, int rank) {
    const DrillConfig config{.fault = fault, .step = 3, .rank = rank};
    DrillHook hook(Drill(config, world().rank()), state_, world());
    for (std::int64_t step = 1; step <= 4; ++step) hook.before_step(step);
  }

  torch::nn::Linear network_{4, 3};
  FlatState state_{*network_, {}};
};

TEST_F(Drilled, FlipsOneBitOfTheLargestWeightOnce) {
  const at::NoGradGuard no_grad;
  state_.parameters()[5] = -100.0;
  const at::Tensor before = state_.parameters().clone();
  run("flip_weight", world().rank());
  const at::Tensor changed = state_.parameters().ne(before);
  EXPECT_EQ(changed.sum().item<std::int64_t>(), 1);
  EXPECT_EQ(state_.parameters()[5].item<float>(), -108.0F) << "an eighth of 64, its power of two";
}

TEST_F(Drilled, OnlyAtTheRankThatIsMeant) {
  const at::Tensor before = state_.parameters().clone();
  run("flip_weight", world().rank() + 1);
  EXPECT_TRUE(state_.parameters().equal(before));
}

TEST_F(Drilled, LeavesOutOneReduction) {
  if (world().world_size() == 1) GTEST_SKIP() << "for several ranks";
  run("skip_reduction", 0);
  const at::Tensor ones = at::ones({1});
  // Of two at rank 0 one is left out, which the other ranks do not know of: they make one.
  world().all_reduce(ones);
  if (world().rank() == 0) {
    EXPECT_EQ(ones.item<float>(), 1.0F);
    world().all_reduce(ones);
  }
  EXPECT_EQ(ones.item<float>(), static_cast<float>(world().world_size()));
}

TEST(DrillSettings, NameARankThatThereIs) {
  EXPECT_NO_THROW(require_drill({.fault = "kill", .rank = 1}, 2));
  EXPECT_NO_THROW(require_drill({.fault = "none", .rank = 7}, 2));
  const auto message =
      message_of<ConfigError>([] { require_drill({.fault = "kill", .rank = 2}, 2); });
  EXPECT_THAT(message, HasSubstr("drill.rank is 2, but the ranks are 0 to 1"));
}

}  // namespace
}  // namespace effuse
