#include "training/gradient_buckets.hpp"

#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include "core/text.hpp"
#include "support/error_message.hpp"
#include "support/world.hpp"
#include "unit/training/linear_stack.hpp"
#include "unit/training/recording_communicator.hpp"

namespace effuse {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using testing::world;

/// One parameter in each bucket.
constexpr std::int64_t kSmallest = 1;

/// A few parameters in each.
constexpr std::int64_t kFew = 20000;

struct Case {
  const char* name;
  std::int64_t bucket_bytes = 0;
  std::size_t buckets = 1;  ///< between several ranks
  at::ScalarType wire = at::kFloat;
  FlatLayout layout = {.order = backward_order()};
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

/// A network with buckets, and a twin without, for what a rank's own gradients are.
struct Trained {
  explicit Trained(const Case& c)
      : network(7),
        twin(7),
        state(network, {}, c.layout),
        twin_state(twin, {}, c.layout),
        buckets(state, world(), {.bucket_bytes = c.bucket_bytes, .wire = c.wire}) {}

  /// A loss of this rank's own images of pass number `pass`.
  at::Tensor loss(LinearStack& of, int pass) const {
    at::manual_seed(static_cast<std::uint64_t>(1000 + 10 * world().rank() + pass));
    return of.forward(at::randn({3, 1, 2, 2}).to(state.network_type()), {}, {}).square().sum();
  }

  void backward(int pass, bool last) {
    buckets.begin_pass(last);
    loss(network, pass).backward();
  }

  /// [P], what autograd alone makes of this rank's pass.
  at::Tensor own_gradients(int pass) {
    loss(twin, pass).backward();
    at::Tensor own = at::zeros_like(state.gradients());
    for (const auto& place : twin_state.places()) {
      twin_state.view(own, place).copy_(place.tensor.grad());
      place.tensor.mutable_grad() = at::Tensor();
    }
    return own;
  }

  LinearStack network, twin;
  FlatState state, twin_state;
  GradientBuckets buckets;
};

/// The sum over the ranks in their order.
at::Tensor sum_of_ranks(const at::Tensor& own) {
  const at::Tensor all = world().all_gather(own);
  at::Tensor sum = all[0].clone();
  for (std::int64_t k = 1; k < all.size(0); ++k) sum += all[k];
  return sum;
}

/// Each rank's numbers rounded to bf16, and their sum once more.
at::Tensor sum_through_bf16(const at::Tensor& own) {
  if (world().world_size() == 1) return own;
  return sum_of_ranks(own.to(at::kBFloat16).to(at::kFloat)).to(at::kBFloat16).to(at::kFloat);
}

class GradientBucketsOf : public ::testing::TestWithParam<Case> {
 protected:
  static at::Tensor expected(const at::Tensor& own) {
    return GetParam().wire == at::kBFloat16 ? sum_through_bf16(own) : sum_of_ranks(own);
  }
  Trained trained_{GetParam()};
};

TEST_P(GradientBucketsOf, hold_the_sum_in_the_order_of_the_ranks_to_the_last_bit) {
  EXPECT_EQ(trained_.buckets.bucket_count(), world().world_size() > 1 ? GetParam().buckets : 1u);
  for (int step = 1; step <= 3; ++step) {
    const at::Tensor sum = expected(trained_.own_gradients(step));
    trained_.buckets.begin_step(step);
    trained_.backward(step, /*last=*/true);
    trained_.buckets.send_rest();
    EXPECT_THAT(trained_.buckets.wait(), SizeIs(trained_.buckets.bucket_count()));
    EXPECT_TRUE(at::equal(trained_.state.gradients(), sum)) << "step " << step;
    EXPECT_GT(sum.abs().max().item<double>(), 0.0);
  }
}

TEST_P(GradientBucketsOf, add_up_passes_before_they_are_summed) {
  for (int step = 1; step <= 2; ++step) {
    at::Tensor own = trained_.own_gradients(0);
    own += trained_.own_gradients(1);
    own += trained_.own_gradients(2);
    const at::Tensor sum = expected(own);
    trained_.buckets.begin_step(step);
    for (int pass = 0; pass < 3; ++pass) trained_.backward(pass, /*last=*/pass == 2);
    trained_.buckets.send_rest();
    trained_.buckets.wait();
    EXPECT_TRUE(at::equal(trained_.state.gradients(), sum)) << "step " << step;
  }
}

TEST_P(GradientBucketsOf, take_zeros_of_a_rank_that_made_no_pass) {
  const bool idle = world().rank() == world().world_size() - 1;
  for (const auto& place : trained_.state.places()) {
    trained_.state.view(trained_.state.gradients(), place).fill_(5.0);  // of the step before
  }
  const at::Tensor own = trained_.own_gradients(1);
  const at::Tensor sum = expected(idle ? at::zeros_like(own) : own);
  trained_.buckets.begin_step(1);
  if (!idle) trained_.backward(1, /*last=*/true);
  trained_.buckets.send_rest();
  trained_.buckets.wait();
  EXPECT_TRUE(at::equal(trained_.state.gradients(), sum));
}

TEST_P(GradientBucketsOf, are_complete_where_the_last_pass_of_a_rank_falls_away) {
  const bool one_less = world().rank() == world().world_size() - 1;
  at::Tensor own = trained_.own_gradients(0);
  if (!one_less) own += trained_.own_gradients(1);
  const at::Tensor sum = expected(own);
  trained_.buckets.begin_step(1);
  trained_.backward(0, /*last=*/false);
  if (!one_less) trained_.backward(1, /*last=*/true);
  trained_.buckets.send_rest();
  trained_.buckets.wait();
  EXPECT_TRUE(at::equal(trained_.state.gradients(), sum));
}

TEST_P(GradientBucketsOf, take_gradients_away_from_the_network) {
  trained_.buckets.begin_step(1);
  trained_.backward(1, /*last=*/true);
  for (const at::Tensor& parameter : trained_.network.parameters()) {
    EXPECT_FALSE(parameter.grad().defined());
  }
  trained_.buckets.send_rest();
  trained_.buckets.wait();
}

INSTANTIATE_TEST_SUITE_P(
    All, GradientBucketsOf,
    ::testing::Values(Case{"one_for_all"}, Case{"one_parameter_each", kSmallest, 8},
                      Case{"a_few_each", kFew, 2}, Case{"bf16_on_the_wire", kFew, 2, at::kBFloat16},
                      Case{"bf16_on_the_wire_one_parameter_each", kSmallest, 8, at::kBFloat16},
                      Case{"bf16_network",
                           kSmallest,
                           8,
                           at::kFloat,
                           {.order = backward_order(), .network_type = at::kBFloat16}},
                      Case{"fp16_network",
                           kFew,
                           2,
                           at::kFloat,
                           {.order = backward_order(), .network_type = at::kHalf}},
                      Case{"bf16_network_and_wire",
                           kFew,
                           2,
                           at::kBFloat16,
                           {.order = backward_order(), .network_type = at::kBFloat16}},
                      Case{"any_order_of_parameters",
                           kSmallest,
                           8,
                           at::kFloat,
                           {.order = {"0.weight", "3.bias", "1.bias", "2.weight", "0.bias",
                                      "3.weight", "1.weight", "2.bias"}}}),
    [](const auto& test) { return std::string(test.param.name); });

/// Buckets of one parameter each, whose reductions are written down.
struct Recorded {
  explicit Recorded(const std::vector<std::string>& order = backward_order())
      : state(network, {}, {.order = order}) {
    network.at_first_layer = [this] { comm.events.emplace_back("the first layer"); };
    buckets.begin_step(7);
  }
  void backward(bool last) {
    buckets.begin_pass(last);
    network.forward(at::ones({1, 1, 2, 2}), {}, {}).sum().backward();
  }

  LinearStack network{1};
  FlatState state;
  RecordingCommunicator comm;
  GradientBuckets buckets{state, comm, {.bucket_bytes = kSmallest}};
};

TEST(GradientBuckets, leave_in_order_while_the_backward_pass_still_runs) {
  Recorded recorded;
  recorded.backward(/*last=*/true);
  const auto bucket = [](int number) { return EndsWith(cat("bucket ", number, " of step 7")); };
  EXPECT_THAT(recorded.comm.events,
              ElementsAre(bucket(1), bucket(2), bucket(3), bucket(4), bucket(5), bucket(6),
                          "the first layer", bucket(7), bucket(8)));
  recorded.buckets.send_rest();
  EXPECT_THAT(recorded.comm.events, SizeIs(9)) << "nothing leaves twice";
}

TEST(GradientBuckets, leave_in_order_even_where_the_first_is_ready_last) {
  auto order = backward_order();
  std::swap(order.front(), order.back());  // the first layer's weight to the front
  Recorded recorded(order);
  recorded.backward(/*last=*/true);
  ASSERT_THAT(recorded.comm.events, SizeIs(9));
  EXPECT_EQ(recorded.comm.events[0], "the first layer");
  for (std::size_t i = 1; i < 9; ++i) {
    EXPECT_THAT(recorded.comm.events[i], EndsWith(cat("bucket ", i, " of step 7")));
  }
}

TEST(GradientBuckets, stay_before_the_last_pass) {
  Recorded recorded;
  recorded.backward(/*last=*/false);
  recorded.backward(/*last=*/false);
  EXPECT_THAT(recorded.comm.events, ElementsAre("the first layer", "the first layer"));
  recorded.backward(/*last=*/true);
  EXPECT_THAT(recorded.comm.events, SizeIs(2 + 9));
}

TEST(GradientBuckets, name_the_parameters_that_the_last_pass_left_out) {
  Recorded recorded;
  recorded.backward(/*last=*/false);
  recorded.network.left_out = 2;
  recorded.backward(/*last=*/true);
  EXPECT_THAT(message_of<Error>([&] { recorded.buckets.send_rest(); }),
              HasSubstr("step 7 brought no gradient for 2.bias, 2.weight ("));
}

TEST(GradientBuckets, name_the_parameters_that_an_earlier_pass_left_out) {
  Recorded recorded;
  recorded.network.left_out = 1;
  recorded.backward(/*last=*/false);
  recorded.network.left_out.reset();
  EXPECT_THAT(message_of<Error>([&] { recorded.backward(/*last=*/true); }),
              HasSubstr("step 7 brought no gradient for 1.bias, 1.weight ("));
}

TEST(GradientBuckets, leave_the_network_without_hooks) {
  LinearStack network(1);
  FlatState state(network, {}, {.order = backward_order()});
  RecordingCommunicator comm;
  { const GradientBuckets buckets(state, comm, {}); }
  network.forward(at::ones({1, 1, 2, 2}), {}, {}).sum().backward();
  for (const auto& place : state.places()) EXPECT_TRUE(place.tensor.grad().defined());
  EXPECT_THAT(comm.events, IsEmpty());
}

}  // namespace
}  // namespace effuse
