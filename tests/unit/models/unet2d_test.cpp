#include "models/unet2d.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <vector>

#include "golden/golden.hpp"
#include "golden_gradients.hpp"
#include "models/factory.hpp"
#include "models/network.hpp"
#include "models/precision.hpp"
#include "models/weights.hpp"
#include "small_network.hpp"

namespace effuse {
namespace {

/// One case of unet2d.json, run here.
class Case {
 public:
  explicit Case(const nlohmann::json& json)
      : json_(json), network_(make_network(golden::model_config(json.at("config")))) {
    network_->eval();
    network_->to(at::kDouble);
    NamedTensors weights = named_weights(*network_);
    for (std::size_t j = 0; j < weights.size(); ++j) {
      weights[j].second = golden::weight(weights[j].second.sizes(), j);
    }
    load_weights(*network_, weights);
  }

  Network& network() { return *network_; }

  at::Tensor predict(at::ScalarType type) {
    network_->to(type);
    const auto shape = json_.at("shape").get<std::vector<std::int64_t>>();
    const auto classes = json_.at("labels").get<std::vector<std::int64_t>>();
    const at::Tensor labels = classes.empty() ? at::Tensor() : at::tensor(classes, at::kLong);
    const at::Tensor t = at::tensor(json_.at("t").get<std::vector<std::int64_t>>(), at::kLong);
    return network_->forward(golden::images(shape).to(type), t, labels);
  }

  at::Tensor expected() const {
    return golden::tensor(json_.at("output"), json_.at("shape").get<std::vector<std::int64_t>>());
  }

 private:
  const nlohmann::json& json_;
  std::shared_ptr<Network> network_;
};

class UNet2DGolden : public testing::TestWithParam<const char*> {
 protected:
  nlohmann::json json_ = golden::load("unet2d.json").at(GetParam());
};

TEST_P(UNet2DGolden, HasTheWeightsOfDiffusersInItsOrder) {
  nlohmann::json weights = nlohmann::json::array();
  for (const auto& [name, tensor] :
       named_weights(*make_network(golden::model_config(json_.at("config"))))) {
    weights.push_back({name, tensor.sizes().vec()});
  }
  EXPECT_EQ(weights, json_.at("weights"));
}

TEST_P(UNet2DGolden, PredictsWhatDiffusersPredictsInFp32) {
  Case example(json_);
  const at::NoGradGuard no_grad;
  EXPECT_LE(golden::relative_error(example.predict(at::kFloat), example.expected()), 1e-5);
}

TEST_P(UNet2DGolden, PredictsWhatDiffusersPredictsInFp64) {
  Case example(json_);
  const at::NoGradGuard no_grad;
  EXPECT_LE(golden::relative_error(example.predict(at::kDouble), example.expected()), 1e-10);
}

TEST_P(UNet2DGolden, HasTheGradientsOfDiffusers) {
  Case example(json_);
  const at::Tensor prediction = example.predict(at::kDouble);
  prediction.backward(golden::cotangent(prediction.sizes()));
  expect_gradients(example.network(), json_, 1e-9);
}

INSTANTIATE_TEST_SUITE_P(All, UNet2DGolden,
                         testing::Values("plain", "scale_shift_with_classes",
                                         "grey_attention_everywhere", "odd_widths",
                                         "one_head_a_level"),
                         [](const auto& test) { return std::string(test.param); });

TEST(UNet2D, CifarConfigurationHasItsKnownSize) {
  const nlohmann::json json = golden::load("unet2d.json").at("cifar10");
  const auto network = make_network(golden::model_config(json.at("config")));
  EXPECT_EQ(count_parameters(*network), 35'746'307);
  EXPECT_EQ(json.at("parameters").get<std::int64_t>(), 35'746'307);
}

TEST(UNet2D, TellsItsTraits) {
  const auto network = make_network(small_network());
  EXPECT_EQ(network->traits().channels, 1);
  EXPECT_EQ(network->traits().sample_size, 8);
  EXPECT_EQ(network->traits().class_count, 4);
  EXPECT_EQ(network->null_class(), 3);
  ModelConfig config = small_network();
  config.num_class_embeds = 0;
  EXPECT_EQ(make_network(config)->null_class(), -1);
}

TEST(UNet2D, WithoutANullClassHasARowForEachLabelAllTheSame) {
  ModelConfig config = small_network();
  config.null_class = false;
  const auto network = make_network(config);
  EXPECT_EQ(network->traits().class_count, 4);
  EXPECT_EQ(network->null_class(), -1);
  EXPECT_EQ(count_parameters(*network), count_parameters(*make_network(small_network())));
}

TEST(UNet2D, EveryParameterGetsAFiniteGradient) {
  const auto network = make_network(small_network());
  initialise_weights(*network, 1);
  const at::Tensor x = golden::images({3, 1, 8, 8}).to(at::kFloat);
  network->forward(x, at::tensor({0, 10, 999}, at::kLong), at::tensor({0, 2, 3}, at::kLong))
      .square()
      .mean()
      .backward();
  for (const auto& item : network->named_parameters()) {
    ASSERT_TRUE(item.value().grad().defined()) << item.key();
    EXPECT_TRUE(item.value().grad().isfinite().all().item<bool>()) << item.key();
  }
}

TEST(UNet2D, UnderBf16AutocastStaysNearFp32WithGradientsInFp32) {
  const auto network = make_network(small_network());
  initialise_weights(*network, 1);
  const at::Tensor x = golden::images({2, 1, 8, 8}).to(at::kFloat);
  const at::Tensor t = at::tensor({10, 900}, at::kLong);
  const at::Tensor labels = at::tensor({0, 3}, at::kLong);
  const at::Tensor fp32 = network->forward(x, t, labels).detach();
  at::Tensor bf16;
  {
    const ComputePrecision precision("bf16", at::kCPU);
    bf16 = network->forward(x, t, labels);
  }
  EXPECT_EQ(bf16.scalar_type(), at::kBFloat16);
  EXPECT_LE(golden::relative_error(bf16.detach(), fp32), 0.03);
  bf16.to(at::kFloat).square().mean().backward();
  for (const auto& item : network->named_parameters()) {
    EXPECT_EQ(item.value().grad().scalar_type(), at::kFloat) << item.key();
    EXPECT_TRUE(item.value().grad().isfinite().all().item<bool>()) << item.key();
  }
}

TEST(UNet2D, FractionalTimeStepsLieBetweenWholeOnes) {
  const auto network = make_network(small_network());
  initialise_weights(*network, 1);
  const at::NoGradGuard no_grad;
  const at::Tensor x = golden::images({1, 1, 8, 8}).to(at::kFloat);
  const at::Tensor label = at::tensor({0}, at::kLong);
  const at::Tensor whole = network->forward(x, at::tensor({7}, at::kLong), label);
  EXPECT_TRUE(at::equal(network->forward(x, at::tensor({7.0F}), label), whole));
  EXPECT_FALSE(at::equal(network->forward(x, at::tensor({7.5F}), label), whole));
}

}  // namespace
}  // namespace effuse
