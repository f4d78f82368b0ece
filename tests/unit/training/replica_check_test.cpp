#include "training/replica_check.hpp"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/linear.h>

#include <functional>
#include <limits>
#include <optional>

#include "comm/agreement.hpp"
#include "core/text.hpp"
#include "support/world.hpp"

namespace effuse {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::world;

/// Two layers of which one bias is frozen, equal at all ranks.
class Replicas : public ::testing::Test {
 protected:
  Replicas() {
    at::manual_seed(5);
    network_ = torch::nn::Sequential(torch::nn::Linear(3, 5), torch::nn::Linear(5, 2));
    network_->parameters()[3].set_requires_grad(false);
    state_.emplace(*network_, std::vector<std::string>{"exp_avg", "exp_avg_sq"});
  }

  /// The message that all ranks get after `change` at the last rank; empty where there is none.
  std::string found_after(const std::function<void()>& change) {
    const at::NoGradGuard no_grad;
    if (world().rank() == world().world_size() - 1) change();
    try {
      check_replicas(*state_, world(), 12);
    } catch (const AgreedError& error) {
      EXPECT_EQ(error.exit_code(), ExitCode::failure);
      return error.what();
    }
    return "";
  }

  /// Ranks that a difference at the last one is put down to.
  static std::string odd_ones() {
    const int ranks = world().world_size();
    return ranks == 2 ? "ranks 0 and 1 on " : cat("rank ", ranks - 1, " on ");
  }

  torch::nn::Sequential network_ = nullptr;
  std::optional<FlatState> state_;
};

void flip_lowest_bit(const at::Tensor& tensor, std::int64_t element) {
  tensor.view({-1}).view(at::kInt)[element].bitwise_xor_(1);
}

TEST_F(Replicas, ThatAreAlikePass) {
  EXPECT_THAT(found_after([] {}), IsEmpty());
}

TEST_F(Replicas, OfOneRankAreNotCompared) {
  if (world().world_size() > 1) GTEST_SKIP() << "for one rank";
  EXPECT_THAT(found_after([&] { flip_lowest_bit(state_->parameters(), 0); }), IsEmpty());
}

TEST_F(Replicas, AreToldApartByTheLowestBitOfAWeight) {
  if (world().world_size() == 1) GTEST_SKIP() << "for several ranks";
  const std::string message = found_after([&] { flip_lowest_bit(network_->parameters()[2], 7); });
  EXPECT_THAT(message, HasSubstr("after step 12"));
  EXPECT_THAT(message, HasSubstr(odd_ones()));
  EXPECT_THAT(message, HasSubstr(" in 1.weight ("));
  EXPECT_THAT(found_after([&] { flip_lowest_bit(network_->parameters()[2], 7); }), IsEmpty())
      << "the ranks can go on together where it was repaired";
}

TEST_F(Replicas, AreToldApartByAverageMomentsAndWhatIsNotTrained) {
  if (world().world_size() == 1) GTEST_SKIP() << "for several ranks";
  const std::string message = found_after([&] {
    flip_lowest_bit(state_->average(), 0);
    flip_lowest_bit(state_->moment(1), 0);
    flip_lowest_bit(network_->parameters()[3], 1);
  });
  EXPECT_THAT(message, HasSubstr("in 1.bias, average of 0.weight, average of 1.bias and 1 more"));
  EXPECT_THAT(message, Not(HasSubstr("exp_avg_sq"))) << "three are enough to look at";
}

TEST_F(Replicas, AreComparedByBitsNotByValues) {
  if (world().world_size() == 1) GTEST_SKIP() << "for several ranks";
  const std::string message = found_after([&] { state_->moment(0).neg_(); });  // -0 == 0
  EXPECT_THAT(message, HasSubstr("exp_avg.0.weight"));
}

TEST_F(Replicas, ThatHoldNoNumbersAreComparedToo) {
  if (world().world_size() == 1) GTEST_SKIP() << "for several ranks";
  const at::NoGradGuard no_grad;
  state_->average()[0] = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THAT(found_after([] {}), IsEmpty()) << "the same NaN everywhere";
}

TEST_F(Replicas, AreComparedAtTheStepsOfTheHook) {
  if (world().world_size() == 1) GTEST_SKIP() << "for several ranks";
  const at::NoGradGuard no_grad;
  ReplicaHook never(*state_, world(), 0);
  ReplicaHook sometimes(*state_, world(), 5);
  if (world().rank() == 0) flip_lowest_bit(state_->parameters(), 0);
  EXPECT_NO_THROW(never.after_step({.step = 5}));
  EXPECT_NO_THROW(sometimes.after_step({.step = 4}));
  EXPECT_THROW(sometimes.after_step({.step = 5}), AgreedError);
}

}  // namespace
}  // namespace effuse
