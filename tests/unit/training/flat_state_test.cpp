#include "training/flat_state.hpp"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <torch/nn/modules/activation.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>

#include "core/error.hpp"
#include "support/error_message.hpp"

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

TEST(FlatState, lies_in_the_order_it_is_given) {
  auto network = small_stack();
  const FlatState state(*network, kMoments, {.order = {"2.bias", "0.weight"}});
  ASSERT_EQ(state.places().size(), 2u);
  EXPECT_EQ(state.places()[0].name, "2.bias");
  EXPECT_EQ(state.places()[1].offset, kAlignment);
  EXPECT_EQ(network->parameters()[0].data_ptr(), state.parameters()[kAlignment].data_ptr());
  EXPECT_THAT(names_of(state.named_parameters()),
              ElementsAre("0.weight", "0.bias", "2.weight", "2.bias"))
      << "whatever the order, files are as the network is";
  EXPECT_THAT(names_of(state.named_untrained()), ElementsAre("0.bias", "2.weight"));
}

TEST(FlatState, gives_the_network_a_copy_of_another_type) {
  auto network = small_stack();
  const at::Tensor before = network->parameters()[0].detach().clone();
  FlatState state(*network, kMoments, {.network_type = at::kBFloat16});
  const at::Tensor used = network->parameters()[0];
  EXPECT_EQ(used.scalar_type(), at::kBFloat16);
  EXPECT_TRUE(at::equal(used, before.to(at::kBFloat16)));
  EXPECT_TRUE(at::equal(state.named_parameters()[0].second, before)) << "the master is not rounded";
  at::Tensor(state.parameters()).fill_(1.001);
  state.publish();
  EXPECT_TRUE((used == at::full({}, 1.001).to(at::kBFloat16)).all().item<bool>());
}

TEST(FlatState, may_hold_weights_as_channels_last) {
  torch::nn::Conv2d convolution(torch::nn::Conv2dOptions(3, 5, 2));
  const at::Tensor before = convolution->weight.detach().clone();
  const FlatState state(*convolution, kMoments, {.channels_last = true});
  EXPECT_TRUE(convolution->weight.is_contiguous(at::MemoryFormat::ChannelsLast));
  EXPECT_TRUE(at::equal(convolution->weight, before));
  EXPECT_TRUE(at::equal(state.named_parameters()[0].second, before));
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
  const FlatState state(*network, kMoments);
  for (const at::Tensor& buffer :
       {state.parameters(), state.gradients(), state.average(), state.moment(0), state.moment(1)}) {
    EXPECT_EQ(buffer.scalar_type(), at::kDouble);
  }
  EXPECT_EQ(network->parameters()[0].scalar_type(), at::kDouble);
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

TEST(AveragedWeights, serve_a_network_of_another_type_too) {
  auto network = small_stack();
  FlatState state(*network, kMoments, {.network_type = at::kBFloat16});
  at::Tensor(state.average()).fill_(2.0);
  const at::Tensor before = network->parameters()[0].detach().clone();
  {
    const AveragedWeights averaged(state);
    EXPECT_TRUE((network->parameters()[0] == 2.0).all().item<bool>());
  }
  EXPECT_TRUE(at::equal(network->parameters()[0], before));
}

}  // namespace
}  // namespace effuse
