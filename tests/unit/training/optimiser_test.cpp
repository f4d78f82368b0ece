#include "training/optimiser.hpp"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <torch/nn/modules/activation.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/linear.h>
#include <torch/optim/adam.h>
#include <torch/optim/adamw.h>
#include <torch/optim/sgd.h>

#include <limits>

#include "core/error.hpp"
#include "support/error_message.hpp"
#include "unit/training/backward.hpp"

namespace effuse {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Weights = std::vector<at::Tensor>;
using TorchOptimiser = std::unique_ptr<torch::optim::Optimizer>;

/// Settings of ours, and the optimiser of libtorch that they stand for.
struct Pair {
  const char* name;
  OptimizerConfig config;
  TorchOptimiser (*theirs)(const Weights&);
};

void PrintTo(const Pair& pair, std::ostream* out) { *out << pair.name; }

TorchOptimiser adamw(const Weights& weights, double decay) {
  return std::make_unique<torch::optim::AdamW>(
      weights, torch::optim::AdamWOptions(0.01).betas({0.8, 0.99}).weight_decay(decay));
}

TorchOptimiser adam(const Weights& weights, double decay) {
  return std::make_unique<torch::optim::Adam>(
      weights, torch::optim::AdamOptions(0.01).betas({0.8, 0.99}).weight_decay(decay));
}

TorchOptimiser sgd(const Weights& weights, double momentum, double decay) {
  return std::make_unique<torch::optim::SGD>(
      weights, torch::optim::SGDOptions(0.01).momentum(momentum).weight_decay(decay));
}

OptimizerConfig settings(const char* name, double weight_decay) {
  return {.name = name, .beta1 = 0.8, .beta2 = 0.99, .weight_decay = weight_decay};
}

OptimizerConfig plain_sgd() {
  OptimizerConfig config = settings("sgd", 0.1);
  config.momentum = 0.0;
  return config;
}

class OptimiserStep : public ::testing::TestWithParam<Pair> {};

torch::nn::Sequential small_stack(at::ScalarType type) {
  at::manual_seed(1);
  torch::nn::Sequential stack(torch::nn::Linear(3, 5), torch::nn::SiLU(), torch::nn::Linear(5, 2));
  stack->to(type);
  return stack;
}

using UpdateFunction = void(FlatState&, const OptimizerConfig&, const Update&, const Verdict&);

/// The largest difference of weights after 20 steps of both, from equal weights on equal inputs.
double largest_difference(const Pair& pair, at::ScalarType type, UpdateFunction* update) {
  auto ours = small_stack(type);
  auto theirs = small_stack(type);
  FlatState state(*ours, moments_of(pair.config));
  const TorchOptimiser optimiser = pair.theirs(theirs->parameters());
  for (int step = 1; step <= 20; ++step) {
    const at::Tensor input = at::randn({6, 3}, type);
    backward_into(state, ours->forward(input).pow(2).mean());
    update(state, pair.config, {.lr = 0.01}, good_step(step));
    optimiser->zero_grad();
    theirs->forward(input).pow(2).mean().backward();
    optimiser->step();
  }
  double largest = 0.0;
  for (std::size_t i = 0; i < theirs->parameters().size(); ++i) {
    const at::Tensor difference = ours->parameters()[i] - theirs->parameters()[i];
    largest = std::max(largest, difference.abs().max().item<double>());
  }
  return largest;
}

TEST_P(OptimiserStep, is_that_of_libtorch) {
  for (UpdateFunction* update : {&update_weights, &update_weights_on_device}) {
    EXPECT_LE(largest_difference(GetParam(), at::kDouble, update), 1e-13);
    EXPECT_LE(largest_difference(GetParam(), at::kFloat, update), 1e-5);
  }
}

// -1 has to be the defaults of libtorch's own options.
INSTANTIATE_TEST_SUITE_P(
    All, OptimiserStep,
    ::testing::Values(
        Pair{"adamw", settings("adamw", 0.1), [](const Weights& w) { return adamw(w, 0.1); }},
        Pair{
            "adamw_by_default", settings("adamw", -1),
            [](const Weights& w) { return adamw(w, torch::optim::AdamWOptions().weight_decay()); }},
        Pair{"adam", settings("adam", 0.1), [](const Weights& w) { return adam(w, 0.1); }},
        Pair{"adam_by_default", settings("adam", -1),
             [](const Weights& w) { return adam(w, torch::optim::AdamOptions().weight_decay()); }},
        Pair{"sgd", settings("sgd", 0.1), [](const Weights& w) { return sgd(w, 0.937, 0.1); }},
        Pair{"sgd_by_default", settings("sgd", -1),
             [](const Weights& w) {
               return sgd(w, 0.937, torch::optim::SGDOptions(1).weight_decay());
             }},
        Pair{"sgd_without_momentum", plain_sgd(),
             [](const Weights& w) { return sgd(w, 0.0, 0.1); }}),
    [](const auto& test) { return std::string(test.param.name); });

class UpdateOfAll : public ::testing::TestWithParam<UpdateFunction*> {};

TEST_P(UpdateOfAll, moves_the_average_by_one_minus_its_decay) {
  auto network = small_stack(at::kFloat);
  FlatState state(*network, moments_of({}));
  at::Tensor(state.average()).fill_(1.0);
  at::Tensor(state.parameters()).fill_(3.0);
  GetParam()(state, {}, {.lr = 0.0, .ema_decay = 0.75}, good_step(1));
  EXPECT_TRUE((state.average() == 1.5).all().item<bool>());
  GetParam()(state, {}, {.lr = 0.0, .ema_decay = 0.0}, good_step(2));
  EXPECT_TRUE(at::equal(state.average(), state.parameters()));
}

TEST_P(UpdateOfAll, changes_nothing_where_the_step_is_bad) {
  auto network = small_stack(at::kFloat);
  FlatState state(*network, moments_of({}), {.network_type = at::kBFloat16});
  backward_into(state, network->forward(at::ones({4, 3}, at::kBFloat16)).sum());
  GetParam()(state, {}, {.lr = 0.1, .ema_decay = 0.5}, good_step(1));
  std::vector<at::Tensor> before;
  for (const at::Tensor& tensor : state.everything()) before.push_back(tensor.clone());
  const at::Tensor used = state.network_parameters().clone();
  at::Tensor(state.gradients()).fill_(std::numeric_limits<float>::quiet_NaN());
  Verdict verdict = good_step(2);
  verdict.good.zero_();
  verdict.grad_factor.fill_(std::numeric_limits<double>::quiet_NaN());
  GetParam()(state, {}, {.lr = 0.1, .ema_decay = 0.5}, verdict);
  for (std::size_t i = 0; i < before.size(); ++i) {
    EXPECT_TRUE(at::equal(state.everything()[i], before[i])) << i;
  }
  EXPECT_TRUE(at::equal(state.network_parameters(), used));
}

TEST_P(UpdateOfAll, scales_gradients_and_publishes_weights) {
  auto one = small_stack(at::kFloat), other = small_stack(at::kFloat);
  FlatState state(*one, moments_of({}), {.network_type = at::kBFloat16});
  FlatState scaled(*other, moments_of({}));
  at::Tensor(state.gradients()).fill_(0.25);
  at::Tensor(scaled.gradients()).fill_(1.0);
  Verdict verdict = good_step(1);
  GetParam()(state, {}, {.lr = 0.1}, verdict);
  verdict.grad_factor.fill_(0.25);
  GetParam()(scaled, {}, {.lr = 0.1}, verdict);
  EXPECT_TRUE(at::equal(state.parameters(), scaled.parameters()));
  EXPECT_TRUE(at::equal(state.network_parameters(), state.parameters().to(at::kBFloat16)));
}

INSTANTIATE_TEST_SUITE_P(Both, UpdateOfAll,
                         ::testing::Values(&update_weights, &update_weights_on_device),
                         [](const auto& test) {
                           return test.param == &update_weights ? "host" : "device";
                         });

TEST(Optimiser, names_what_it_remembers) {
  EXPECT_THAT(moments_of({.name = "adamw"}), ElementsAre("exp_avg", "exp_avg_sq"));
  EXPECT_THAT(moments_of({.name = "adam"}), ElementsAre("exp_avg", "exp_avg_sq"));
  EXPECT_THAT(moments_of({.name = "sgd"}), ElementsAre("momentum_buffer"));
  EXPECT_THAT(moments_of(plain_sgd()), ElementsAre());
}

TEST(Optimiser, of_another_name_is_refused_with_the_nearest) {
  EXPECT_EQ(message_of<ConfigError>([] { moments_of({.name = "sgdm"}); }),
            "optimizer.name is \"sgdm\", which is not known; did you mean \"sgd\"?");
}

TEST(WeightDecay, may_not_be_negative_but_for_the_default) {
  EXPECT_EQ(weight_decay_of({.weight_decay = 0.0}), 0.0);
  EXPECT_EQ(weight_decay_of({.weight_decay = -1.0}), 0.01);
  EXPECT_THAT(message_of<ConfigError>([] { weight_decay_of({.weight_decay = -0.5}); }),
              HasSubstr("optimizer.weight_decay is -0.5"));
}

}  // namespace
}  // namespace effuse
