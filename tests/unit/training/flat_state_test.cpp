#include "training/flat_state.hpp"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <torch/nn/modules/activation.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/linear.h>

#include "core/error.hpp"
#include "support/error_message.hpp"
#include "training/average.hpp"
#include "training/clipping.hpp"

namespace effuse {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::int64_t kAlignment = 16;  // elements; no tensor below has more

const std::vector<std::string> kMoments = {"exp_avg", "exp_avg_sq"};

std::vector<std::string> names_of(const FlatState::NamedTensors& named) {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : named) names.push_back(name);
  return names;
}

torch::nn::Sequential small_stack() {
  at::manual_seed(1);
  return torch::nn::Sequential(torch::nn::Linear(3, 5), torch::nn::SiLU(), torch::nn::Linear(5, 2));
}

TEST(FlatState, parameters_are_views_into_one_buffer) {
  auto network = small_stack();
  const auto before = network->parameters()[0].detach().clone();
  const FlatState state(*network, kMoments);
  EXPECT_EQ(state.parameters().numel(), 4 * kAlignment) << "each tensor is padded to a cache line";
  EXPECT_TRUE(at::equal(network->parameters()[0], before)) << "values move along";
  EXPECT_TRUE(at::equal(state.average(), state.parameters()));
  at::Tensor(state.parameters()).fill_(0.5);
  for (const auto& parameter : network->parameters()) {
    EXPECT_TRUE(at::equal(parameter, at::full_like(parameter, 0.5)));
  }
}

TEST(FlatState, gradients_arrive_in_the_buffer_that_is_reduced) {
  auto network = small_stack();
  FlatState state(*network, kMoments);
  for (int pass = 0; pass < 2; ++pass) {
    state.clear_gradients();
    EXPECT_EQ(state.reduced().abs().sum().item<float>(), 0.0F);
    network->forward(at::ones({4, 3})).sum().backward();
    const auto parameters = network->parameters();
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      const auto place = static_cast<std::int64_t>(i) * kAlignment;
      EXPECT_TRUE(at::equal(parameters[i].grad().flatten(),
                            state.gradients().narrow(0, place, parameters[i].numel())));
    }
    EXPECT_EQ(parameters.back().grad()[0].item<float>(), 4.0F)
        << "of an output's bias: one per row";
  }
  at::Tensor(state.riders())[FlatState::kStopFlag] = 1.0;
  EXPECT_EQ(state.reduced().numel(), state.gradients().numel() + FlatState::kRiders);
  EXPECT_EQ(state.reduced()[state.gradients().numel() + FlatState::kStopFlag].item<float>(), 1.0F);
}

TEST(FlatState, what_is_saved_bears_the_networks_names_and_shares_its_memory) {
  auto network = small_stack();
  const FlatState state(*network, kMoments);
  const auto expected = network->named_parameters();
  const auto named = state.named_parameters();
  const auto moments = state.named_moments();
  ASSERT_EQ(named.size(), expected.size());
  ASSERT_EQ(moments.size(), 2 * expected.size());
  for (std::size_t i = 0; i < named.size(); ++i) {
    EXPECT_EQ(named[i].first, expected[i].key());
    EXPECT_EQ(named[i].second.sizes(), expected[i].value().sizes());
    EXPECT_EQ(named[i].second.data_ptr(), expected[i].value().data_ptr());
    EXPECT_EQ(moments[i].first, "exp_avg." + expected[i].key());
    EXPECT_EQ(moments[named.size() + i].first, "exp_avg_sq." + expected[i].key());
  }
}

/// A frozen weight, a constant table and a trained weight.
struct Mixed : torch::nn::Module {
  Mixed() {
    register_parameter("frozen", at::ones({2}), /*requires_grad=*/false);
    register_parameter("trained", at::ones({3}));
    register_buffer("table", at::arange(4));
  }
};

TEST(FlatState, saves_what_is_not_trained_but_has_no_place_for_it) {
  Mixed network;
  const FlatState state(network, kMoments);
  EXPECT_EQ(state.parameters().numel(), kAlignment);
  EXPECT_THAT(names_of(state.named_parameters()), ElementsAre("frozen", "trained", "table"));
  EXPECT_THAT(names_of(state.named_average()), ElementsAre("frozen", "trained", "table"));
  EXPECT_THAT(names_of(state.named_untrained()), ElementsAre("frozen", "table"));
  EXPECT_THAT(names_of(state.named_moments()),
              ElementsAre("exp_avg.trained", "exp_avg_sq.trained"));
}

TEST(FlatState, of_a_network_that_is_all_frozen_is_refused) {
  auto network = small_stack();
  for (const at::Tensor& parameter : network->parameters()) parameter.set_requires_grad(false);
  EXPECT_THAT(message_of<ConfigError>([&] { FlatState(*network, kMoments); }),
              HasSubstr("model.name has no parameter that requires gradients"));
}

TEST(FlatState, keeps_a_moment_of_each_name) {
  auto network = small_stack();
  const FlatState state(*network, {"momentum_buffer"});
  const auto moments = state.named_moments();
  ASSERT_EQ(moments.size(), 4u);
  EXPECT_EQ(moments[0].first, "momentum_buffer.0.weight");
  EXPECT_EQ(moments[0].second.data_ptr(), state.moment(0).data_ptr());
}

TEST(FlatState, is_of_the_type_of_the_network) {
  EXPECT_EQ(FlatState(*small_stack(), kMoments).type(), at::kFloat);
  auto network = small_stack();
  network->to(at::kDouble);
  FlatState state(*network, kMoments);
  state.clear_gradients();
  network->forward(at::ones({4, 3}, at::kDouble)).sum().backward();
  for (const at::Tensor& buffer : {state.parameters(), state.reduced(), state.riders(),
                                   state.average(), state.moment(0), state.moment(1)}) {
    EXPECT_EQ(buffer.scalar_type(), at::kDouble);
  }
  EXPECT_EQ(network->parameters()[0].scalar_type(), at::kDouble);
  EXPECT_GT(gradient_norm(state), 0.0);
}

TEST(AveragedWeights, serve_while_they_live) {
  auto network = small_stack();
  FlatState state(*network, kMoments);
  const at::Tensor weights = state.parameters().clone();
  at::Tensor(state.average()).fill_(2.0);
  {
    const AveragedWeights averaged(state);
    EXPECT_TRUE((network->parameters()[0] == 2.0).all().item<bool>());
  }
  EXPECT_TRUE(at::equal(state.parameters(), weights));
  EXPECT_TRUE((state.average() == 2.0).all().item<bool>());
}

TEST(Gradients, are_scaled_down_to_the_largest_norm_and_never_up) {
  auto network = small_stack();
  FlatState state(*network, kMoments);
  state.clear_gradients();
  at::Tensor(state.gradients())[0] = 3.0;
  at::Tensor(state.gradients())[1] = 4.0;
  EXPECT_DOUBLE_EQ(gradient_norm(state), 5.0);
  clip_gradients(state, 5.0, 10.0);
  clip_gradients(state, 5.0, 0.0);
  EXPECT_DOUBLE_EQ(gradient_norm(state), 5.0);
  clip_gradients(state, 5.0, 1.0);
  EXPECT_NEAR(gradient_norm(state), 5.0 / (5.0 + 1e-6), 1e-7) << "as clip_grad_norm_ does";
}

TEST(Average, moves_by_one_minus_its_decay) {
  auto network = small_stack();
  FlatState state(*network, kMoments);
  at::Tensor(state.average()).fill_(1.0);
  {
    const at::NoGradGuard no_grad;
    at::Tensor(state.parameters()).fill_(3.0);
  }
  update_average(state, 0.75);
  EXPECT_TRUE((state.average() == 1.5).all().item<bool>());
  update_average(state, 0.0);
  EXPECT_TRUE(at::equal(state.average(), state.parameters()));
}

}  // namespace
}  // namespace effuse
