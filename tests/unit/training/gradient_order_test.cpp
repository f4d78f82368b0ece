#include "training/gradient_order.hpp"

#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include "models/factory.hpp"
#include "models/weights.hpp"
#include "support/error_message.hpp"
#include "unit/models/small_network.hpp"
#include "unit/training/linear_stack.hpp"

namespace effuse {
namespace {

using ::testing::Contains;
using ::testing::ElementsAreArray;
using ::testing::Not;
using ::testing::UnorderedElementsAreArray;

TEST(GradientOrder, of_a_stack_is_from_its_end_to_its_beginning_and_leaves_out_what_is_unused) {
  LinearStack network(1);
  EXPECT_THAT(gradient_order(network), ElementsAreArray(backward_order()));
}

TEST(GradientOrder, leaves_out_what_is_frozen) {
  LinearStack network(1);
  network.named_parameters()["1.weight"].set_requires_grad(false);
  EXPECT_THAT(gradient_order(network), Not(Contains("1.weight")));
  EXPECT_FALSE(network.named_parameters()["1.weight"].requires_grad());
}

std::shared_ptr<Network> network_named(const std::string& name) {
  return make_network(name == "unet2d" ? small_network() : small_iddm_network(name));
}

std::size_t place_in(const std::vector<std::string>& order, const std::string& name) {
  return static_cast<std::size_t>(std::ranges::find(order, name) - order.begin());
}

class GradientOrderOf : public ::testing::TestWithParam<const char*> {
 protected:
  std::shared_ptr<Network> network_ = network_named(GetParam());
};

TEST_P(GradientOrderOf, holds_what_is_trained_once_and_the_output_before_the_input) {
  std::vector<std::string> trained;
  for (const auto& item : network_->named_parameters()) {
    if (item.value().requires_grad()) trained.push_back(item.key());
  }
  const auto order = gradient_order(*network_);
  EXPECT_THAT(order, UnorderedElementsAreArray(trained));
  const bool ours = std::string(GetParam()) == "unet2d";
  const std::string output = ours ? "conv_out.weight" : "outc.weight";
  EXPECT_LT(place_in(order, output), 2u);
  const std::string input = ours                                ? "conv_in.weight"
                            : std::string(GetParam()) == "unet" ? "inc.double_conv.0.weight"
                                                                : "inc.conv.weight";
  EXPECT_GT(place_in(order, input), order.size() - 10);
}

TEST_P(GradientOrderOf, is_the_same_whenever_and_for_whatever_weights_it_is_asked) {
  const auto order = gradient_order(*network_);
  EXPECT_EQ(gradient_order(*network_), order);
  const auto other = network_named(GetParam());
  initialise_weights(*other, 99);
  EXPECT_EQ(gradient_order(*other), order);
  other->to(at::kDouble);
  EXPECT_EQ(gradient_order(*other), order);
}

TEST_P(GradientOrderOf, leaves_the_network_as_it_was) {
  initialise_weights(*network_, 3);
  std::vector<at::Tensor> before;
  for (const at::Tensor& parameter : network_->parameters()) before.push_back(parameter.clone());
  for (const bool training : {true, false}) {
    network_->train(training);
    gradient_order(*network_);
    for (const auto& module : network_->modules()) EXPECT_EQ(module->is_training(), training);
  }
  const auto parameters = network_->parameters();
  for (std::size_t i = 0; i < before.size(); ++i) {
    EXPECT_TRUE(at::equal(parameters[i], before[i])) << i;
    EXPECT_FALSE(parameters[i].grad().defined()) << i;
  }
}

TEST_P(GradientOrderOf, leaves_no_hooks_behind) {
  gradient_order(*network_);
  const NetworkTraits& traits = network_->traits();
  const at::Tensor t = at::zeros({1}, at::kLong);
  const at::Tensor x = at::zeros({1, traits.channels, traits.sample_size, traits.sample_size});
  network_->forward(x, t, t).sum().backward();
  for (const auto& item : network_->named_parameters()) {
    EXPECT_EQ(item.value().grad().defined(), item.value().requires_grad())
        << item.key() << ": a hook would have taken the gradient away";
  }
}

INSTANTIATE_TEST_SUITE_P(All, GradientOrderOf, ::testing::Values("unet2d", "unet", "cspdarkunet"),
                         [](const auto& test) { return std::string(test.param); });

TEST(GradientOrder, is_found_for_a_network_with_dropout) {
  ModelConfig config = small_network();
  config.dropout = 0.5;
  const auto network = make_network(config);
  network->train();
  EXPECT_THAT(gradient_order(*network), Contains("conv_in.weight"));
}

/// Fails half-way.
struct Failing : LinearStack {
  Failing() : LinearStack(1) {}
  at::Tensor forward(const at::Tensor& x, const at::Tensor& t, const at::Tensor& l) override {
    if (fails) throw std::runtime_error("on purpose");
    return LinearStack::forward(x, t, l);
  }
  bool fails = true;
};

TEST(GradientOrder, leaves_the_network_as_it_was_even_where_the_pass_fails) {
  Failing network;
  network.train();
  EXPECT_THROW(gradient_order(network), std::runtime_error);
  EXPECT_TRUE(network.is_training());
  network.fails = false;
  network.forward(at::ones({1, 1, 2, 2}), {}, {}).sum().backward();
  EXPECT_TRUE(network.named_parameters()["0.weight"].grad().defined());
}

}  // namespace
}  // namespace effuse
