#include "models/iddm_network.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "golden/golden.hpp"
#include "models/factory.hpp"
#include "models/precision.hpp"
#include "models/weights.hpp"
#include "refusal.hpp"
#include "small_network.hpp"

namespace effuse {
namespace {

class IddmNetworkTest : public testing::TestWithParam<const char*> {
 protected:
  void make() {
    network_ = make_network(config_);
    initialise_weights(*network_, 1);
  }

  at::Tensor predict(at::IntArrayRef shape, const at::Tensor& labels) {
    return network_->forward(golden::images(shape).to(at::kFloat), at::tensor({10, 900}, at::kLong),
                             labels);
  }

  std::string refusal_with(const std::function<void(ModelConfig&)>& change) const {
    ModelConfig config = config_;
    change(config);
    return refusal([&] { make_network(config); });
  }

  at::Tensor label_gradient() const {
    return network_->named_parameters()["condition_adapter.label_emb.weight"].grad();
  }

  ModelConfig config_ = small_iddm_network(GetParam());
  std::shared_ptr<Network> network_;
};

TEST_P(IddmNetworkTest, TakesImagesOfAnyShapeThatTheLevelsDivide) {
  make();
  const at::NoGradGuard no_grad;
  for (const auto& size : {std::array{16, 16}, std::array{16, 48}, std::array{64, 32}}) {
    const std::vector<std::int64_t> shape = {2, 1, size[0], size[1]};
    const at::Tensor prediction = predict(shape, at::tensor({0, 3}, at::kLong));
    EXPECT_EQ(prediction.sizes(), at::IntArrayRef(shape));
    EXPECT_TRUE(prediction.isfinite().all().item<bool>());
  }
}

TEST_P(IddmNetworkTest, TakesColourImages) {
  config_.in_channels = 3;
  make();
  const at::NoGradGuard no_grad;
  EXPECT_EQ(predict({2, 3, 16, 16}, at::tensor({0, 3}, at::kLong)).size(1), 3);
}

TEST_P(IddmNetworkTest, RefusesImagesThatTheLevelsDoNotDivide) {
  make();
  const std::string factor = std::string(GetParam()) == "unet" ? "8" : "16";
  expect_contains(refusal([&] {
                    predict({2, 1, 16, 20}, at::zeros({2}, at::kLong));
                  }),
                  "images of 16x20 but the levels of the network need multiples of " + factor);
  expect_contains(refusal_with([](ModelConfig& c) { c.sample_size = 36; }),
                  "model.sample_size is 36 but " + config_.name);
}

TEST_P(IddmNetworkTest, RefusesChannelsThatCannotBe) {
  expect_contains(refusal_with([](ModelConfig& c) { c.channels.push_back(128); }),
                  "model.channels has ");
  expect_contains(refusal_with([](ModelConfig& c) { c.channels = {8}; }),
                  "model.channels has 1 entries");
  expect_contains(refusal_with([](ModelConfig& c) { c.channels[0] = 6; }),
                  "model.channels has 6, which is no multiple of 4");
  expect_contains(refusal_with([](ModelConfig& c) { c.channels.back() = 0; }),
                  "model.channels has 0; each must be at least 1");
}

TEST_P(IddmNetworkTest, RefusesDropoutWhichItDoesNotHave) {
  expect_contains(refusal_with([](ModelConfig& c) { c.dropout = 0.1; }),
                  "model.dropout is 0.1 but " + config_.name + " has no dropout");
}

TEST_P(IddmNetworkTest, RefusesPlaceholdersAndANullClassAlone) {
  expect_contains(refusal_with([](ModelConfig& c) { c.num_class_embeds = -1; }),
                  "model.num_class_embeds is -1");
  expect_contains(refusal_with([](ModelConfig& c) { c.in_channels = 0; }),
                  "model.in_channels is 0");
  expect_contains(refusal_with([](ModelConfig& c) { c.num_class_embeds = 1; }),
                  "the null class is the only one");
}

TEST_P(IddmNetworkTest, RefusesActivationsOfOtherNetworks) {
  expect_contains(
      refusal_with([](ModelConfig& c) { c.act_fn = "mish"; }),
      "model.act_fn is \"mish\", which an IDDM network (unet, cspdarkunet) does not have");
  expect_contains(refusal_with([](ModelConfig& c) { c.act_fn = "lrelue"; }),
                  "no known activation; did you mean \"lrelu\"?");
}

TEST_P(IddmNetworkTest, WithTheNullClassPredictsWhatItWouldWithoutClasses) {
  make();
  NamedTensors weights = named_weights(*network_);
  weights.erase(weights.begin());
  const at::NoGradGuard no_grad;
  const at::Tensor with_null = predict({2, 1, 16, 16}, at::tensor({3, 3}, at::kLong));
  config_.num_class_embeds = 0;
  network_ = make_network(config_);
  EXPECT_EQ(network_->null_class(), -1);
  load_weights(*network_, weights);
  EXPECT_TRUE(at::equal(predict({2, 1, 16, 16}, at::Tensor()), with_null));
}

TEST_P(IddmNetworkTest, LetsNoGradientIntoTheClassesFromTheNullClass) {
  make();
  EXPECT_EQ(network_->null_class(), 3);
  predict({2, 1, 16, 16}, at::tensor({3, 3}, at::kLong)).square().sum().backward();
  EXPECT_TRUE(label_gradient().eq(0).all().item<bool>());
  predict({2, 1, 16, 16}, at::tensor({1, 3}, at::kLong)).square().sum().backward();
  const at::Tensor touched = label_gradient().ne(0).any(1);
  EXPECT_TRUE(at::equal(touched, at::tensor({0, 1, 0}).to(at::kBool)));
}

TEST_P(IddmNetworkTest, RefusesLabelsBeyondTheNullClass) {
  make();
  EXPECT_ANY_THROW(predict({2, 1, 16, 16}, at::tensor({0, 4}, at::kLong)));
}

TEST_P(IddmNetworkTest, WithoutANullClassHasARowForTheLastLabelToo) {
  config_.null_class = false;
  make();
  EXPECT_EQ(network_->null_class(), -1);
  EXPECT_EQ(network_->traits().class_count, 4);
  predict({2, 1, 16, 16}, at::tensor({1, 3}, at::kLong)).square().sum().backward();
  const at::Tensor touched = label_gradient().ne(0).any(1);
  EXPECT_TRUE(at::equal(touched, at::tensor({0, 1, 0, 1}).to(at::kBool)));
  expect_contains(refusal([&] { predict({2, 1, 16, 16}, at::Tensor()); }), "give each image one");
}

TEST_P(IddmNetworkTest, UnderBf16AutocastStaysNearFp32) {
  make();
  const at::Tensor labels = at::tensor({0, 3}, at::kLong);
  const at::Tensor fp32 = predict({2, 1, 16, 16}, labels).detach();
  at::Tensor bf16;
  {
    const ComputePrecision precision("bf16", at::kCPU);
    bf16 = predict({2, 1, 16, 16}, labels);
  }
  EXPECT_LE(golden::relative_error(bf16.detach(), fp32), 0.05);
  bf16.to(at::kFloat).square().mean().backward();
  for (const auto& item : network_->named_parameters()) {
    if (!item.value().requires_grad()) continue;
    EXPECT_EQ(item.value().grad().scalar_type(), at::kFloat) << item.key();
    EXPECT_TRUE(item.value().grad().isfinite().all().item<bool>()) << item.key();
  }
}

TEST_P(IddmNetworkTest, LosesLittleToFp32) {
  config_.act_fn = "gelu";
  make();
  const at::NoGradGuard no_grad;
  const at::Tensor labels = at::tensor({0, 3}, at::kLong);
  const at::Tensor x = golden::images({2, 1, 16, 32}).to(at::kFloat);
  const at::Tensor t = at::tensor({10, 900}, at::kLong);
  const at::Tensor fp32 = network_->forward(x, t, labels);
  network_->to(at::kDouble);
  EXPECT_LE(golden::relative_error(fp32, network_->forward(x.to(at::kDouble), t, labels)), 1e-5);
}

TEST_P(IddmNetworkTest, StartsFromTheSeedAndTheDistributionsOfPyTorch) {
  make();
  at::Tensor in_proj, in_bias, out_bias, out_proj, norm;
  for (const auto& [name, tensor] : named_weights(*network_)) {
    ASSERT_TRUE(tensor.isfinite().all().item<bool>()) << name;
    if (name == "sa4.mha.in_proj_weight") in_proj = tensor;
    if (name == "sa4.mha.in_proj_bias") in_bias = tensor;
    if (name == "sa4.mha.out_proj.weight") out_proj = tensor;
    if (name == "sa4.mha.out_proj.bias") out_bias = tensor;
    if (name == "sa4.ln.weight") norm = tensor;
  }
  const auto size = static_cast<double>(out_proj.size(0));
  const double bound = std::sqrt(6.0 / (4.0 * size));
  EXPECT_LE(in_proj.abs().max().item<double>(), bound * (1 + 1e-6));
  EXPECT_GT(in_proj.abs().max().item<double>(), 0.9 * bound);
  EXPECT_LE(out_proj.abs().max().item<double>(), (1 + 1e-6) / std::sqrt(size));
  EXPECT_TRUE(in_bias.eq(0).all().item<bool>());
  EXPECT_TRUE(out_bias.eq(0).all().item<bool>());
  EXPECT_TRUE(norm.eq(1).all().item<bool>());
}

INSTANTIATE_TEST_SUITE_P(All, IddmNetworkTest, testing::Values("unet", "cspdarkunet"),
                         [](const auto& test) { return std::string(test.param); });

TEST(CspDarkUNet, RefusesChannelsThatDoNotDouble) {
  ModelConfig config = small_iddm_network("cspdarkunet");
  config.channels[3] = 24;
  expect_contains(refusal([&] { make_network(config); }),
                  "model.channels has 24 after 16, but each must be twice the one before");
}

TEST(UNet, TakesChannelsThatDoNotDouble) {
  ModelConfig config = small_iddm_network("unet");
  config.channels = {4, 12, 8, 5};
  const auto network = make_network(config);
  const at::NoGradGuard no_grad;
  EXPECT_EQ(
      network
          ->forward(at::zeros({1, 1, 8, 8}), at::zeros({1}, at::kLong), at::zeros({1}, at::kLong))
          .sizes(),
      (at::IntArrayRef{1, 1, 8, 8}));
}

}  // namespace
}  // namespace effuse
