#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include "golden/golden.hpp"
#include "oracle/two_engines.hpp"
#include "support/world.hpp"
#include "unit/models/small_network.hpp"

namespace effuse {
namespace {

using testing::world;

constexpr std::int64_t kBucketBytes = 8192;

class Reducer : public ::testing::Test {
 protected:
  /// Of this rank and iteration.
  static at::Tensor images(int iteration) {
    at::manual_seed(static_cast<std::uint64_t>(100 * world().rank() + iteration));
    return at::randn({2, 1, 8, 8});
  }

  void run(int iteration) {
    engines_.run_ours(images(iteration));
    const int before = engines_.peers_reductions();
    engines_.run_peers(images(iteration));
    peers_reductions_ = engines_.peers_reductions() - before;
  }

  /// Both networks get the same other weights.
  void move_weights() {
    const at::NoGradGuard no_grad;
    const auto parameters = engines_.peers().named_parameters();
    for (const auto& place : engines_.state().places()) {
      const at::Tensor move = 1e-3 * engines_.state().view(engines_.state().gradients(), place);
      at::Tensor(place.tensor).sub_(move);
      at::Tensor(parameters[place.name]).sub_(move);
    }
  }

  /// c10d divides by the number of ranks before it sums, which rounds unless that is a power of 2.
  void expect_equal_gradients(int iteration) {
    const auto parameters = engines_.peers().named_parameters();
    const int ranks = world().world_size();
    for (const auto& place : engines_.state().places()) {
      const at::Tensor ours = engines_.state().view(engines_.state().gradients(), place);
      const at::Tensor theirs = parameters[place.name].grad() * ranks;
      if (ranks == 2) {
        EXPECT_TRUE(at::equal(ours, theirs)) << place.name << ", iteration " << iteration;
      } else {
        EXPECT_LT(golden::relative_error(ours, theirs), 1e-6)
            << place.name << ", iteration " << iteration;
      }
    }
  }

  TwoEngines engines_{small_network(), world(), kBucketBytes};
  int peers_reductions_ = 0;
};

TEST_F(Reducer, of_torch_has_the_same_gradients_in_every_iteration) {
  ASSERT_EQ(engines_.state().places().size(), engines_.peers().parameters().size());
  for (int iteration = 0; iteration < 4; ++iteration) {  // the second makes its buckets anew
    run(iteration);
    expect_equal_gradients(iteration);
    EXPECT_GT(engines_.state().gradients().abs().max().item<double>(), 0.0);
    EXPECT_GT(engines_.our_reductions(), 2u);
    EXPECT_GT(peers_reductions_, 2) << "iteration " << iteration;
    move_weights();
  }
}

}  // namespace
}  // namespace effuse
