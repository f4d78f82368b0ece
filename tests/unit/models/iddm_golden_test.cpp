#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "golden/golden.hpp"
#include "golden/iddm_machine.hpp"
#include "golden_gradients.hpp"
#include "models/factory.hpp"
#include "models/network.hpp"
#include "models/weights.hpp"

namespace effuse {
namespace {

nlohmann::json weights_of(const ModelConfig& config) {
  nlohmann::json weights = nlohmann::json::array();
  for (const auto& [name, tensor] : named_weights(*make_network(config))) {
    weights.push_back({name, tensor.sizes().vec()});
  }
  return weights;
}

class IddmWeights : public testing::TestWithParam<const char*> {
 protected:
  IddmWeights() {
    config_.name = GetParam();
    config_.sample_size = 32;
    config_.in_channels = 3;
    config_.num_class_embeds = 11;
  }

  ModelConfig config_;
  nlohmann::json known_ = golden::load("iddm/networks.json").at("weights").at(GetParam());
};

TEST_P(IddmWeights, HaveTheNamesShapesAndOrderOfIddm) { EXPECT_EQ(weights_of(config_), known_); }

TEST_P(IddmWeights, LackTheClassEmbeddingAloneWhereUnconditional) {
  config_.num_class_embeds = 0;
  known_.erase(0);
  EXPECT_EQ(weights_of(config_), known_);
}

TEST_P(IddmWeights, HaveARowForEveryLabelWithoutANullClass) {
  config_.num_class_embeds = 10;
  config_.null_class = false;
  EXPECT_EQ(weights_of(config_), known_);
}

TEST_P(IddmWeights, DoNotDependOnTheImageSize) {
  config_.sample_size = 64;
  EXPECT_EQ(weights_of(config_), known_);
}

INSTANTIATE_TEST_SUITE_P(All, IddmWeights, testing::Values("unet", "cspdarkunet"),
                         [](const auto& test) { return std::string(test.param); });

std::vector<std::int64_t> integers(const nlohmann::json& json, const char* key) {
  return json.at(key).get<std::vector<std::int64_t>>();
}

at::Tensor labels_of(const nlohmann::json& json) {
  const auto labels = integers(json, "labels");
  return labels.empty() ? at::Tensor() : at::tensor(labels, at::kLong);
}

class IddmForward : public testing::TestWithParam<const char*> {
 protected:
  /// The prediction in fp32 as float64, flat.
  at::Tensor predict(Kernels kernels) const {
    const auto network = make_network(golden::model_config(json_.at("config")));
    network->eval();
    NamedTensors weights = named_weights(*network);
    for (std::size_t j = 0; j < weights.size(); ++j) {
      auto& [name, tensor] = weights[j];
      // IDDM's file was made with biases around 0.
      const double mean = tensor.dim() == 1 && name.ends_with("weight") ? 1.0 : 0.0;
      tensor = golden::wave(tensor.sizes(), 0.05, 0.37, static_cast<double>(j)) + mean;
    }
    load_weights(*network, weights);
    network->use_kernels(kernels);
    const at::NoGradGuard no_grad;
    const at::Tensor x = golden::images(integers(json_, "shape")).to(at::kFloat);
    return network->forward(x, at::tensor(integers(json_, "t"), at::kLong), labels_of(json_))
        .flatten()
        .to(at::kDouble);
  }

  double known(const char* key) const { return json_.at(key).get<double>(); }

  void expect_known(const at::Tensor& prediction, double tolerance) const {
    const double scale = known("abs_sum");
    EXPECT_NEAR(prediction.sum().item<double>(), known("sum"), tolerance * scale);
    EXPECT_NEAR(prediction.abs().sum().item<double>(), scale, tolerance * scale);
    EXPECT_NEAR(prediction.min().item<double>(), known("min"), tolerance * std::abs(known("min")));
    EXPECT_NEAR(prediction.max().item<double>(), known("max"), tolerance * std::abs(known("max")));
    const at::Tensor ends = at::cat({prediction.narrow(0, 0, 8), prediction.narrow(0, -4, 4)});
    const at::Tensor known_ends =
        at::cat({golden::tensor(json_.at("first"), {8}), golden::tensor(json_.at("last"), {4})});
    EXPECT_LE(golden::relative_error(ends, known_ends), tolerance);
  }

  nlohmann::json json_ = golden::load("iddm/networks.json").at("forward").at(GetParam());
};

TEST_P(IddmForward, PredictsWhatIddmPredicts) {
  golden::use_threads_of_the_recording();
  const bool exact =
      golden::rounds_like_the_recording() || json_.at("config").at("name") == "cspdarkunet";
  expect_known(predict(Kernels::iddm), exact ? 1e-5 : 1e-3);
}

/// At these weights another kernel of attention changes the prediction of unet by 1e-4 to 4e-4, in
/// PyTorch as here. iddm/reference.json says what it is without rounding.
TEST_P(IddmForward, PredictsNearlyTheSameWithFusedAttention) {
  const bool amplifies = json_.at("config").at("name") == "unet";
  expect_known(predict(Kernels::fused), amplifies ? 1e-3 : 1e-5);
}

INSTANTIATE_TEST_SUITE_P(All, IddmForward,
                         testing::Values("unet_cond_gelu", "unet_uncond_silu",
                                         "cspdarkunet_cond_gelu"),
                         [](const auto& test) { return std::string(test.param); });

TEST(IddmReference, AgreesOnPredictionsAndGradientsInFp64) {
  const nlohmann::json cases = golden::load("iddm/reference.json");
  for (const auto& [name, json] : cases.items()) {
    SCOPED_TRACE(name);
    const auto network = make_network(golden::model_config(json.at("config")));
    network->to(at::kDouble);
    NamedTensors weights = named_weights(*network);
    for (std::size_t j = 0; j < weights.size(); ++j) {
      weights[j].second = golden::weight(weights[j].second.sizes(), j);
    }
    load_weights(*network, weights);
    const at::Tensor prediction =
        network->forward(golden::images(integers(json, "shape")),
                         at::tensor(integers(json, "t"), at::kLong), labels_of(json));
    const at::Tensor some = prediction.slice(2, 0, {}, 4).slice(3, 0, {}, 4);
    EXPECT_LE(golden::relative_error(some, golden::tensor(json.at("output"), some.sizes())), 1e-10);
    prediction.backward(golden::cotangent(prediction.sizes()));
    expect_gradients(*network, json, 1e-9);
  }
}

TEST(IddmParameters, AreAsManyAsKnown) {
  ModelConfig config;
  config.sample_size = 32;
  config.in_channels = 3;
  config.num_class_embeds = 11;
  config.name = "unet";
  EXPECT_EQ(count_parameters(*make_network(config)), 23'335'299);
  EXPECT_EQ(count_unused_parameters(*make_network(config)), 0);
  config.name = "cspdarkunet";
  EXPECT_EQ(count_parameters(*make_network(config)), 7'644'515);
  EXPECT_EQ(count_unused_parameters(*make_network(config)), 918'720);
}

}  // namespace
}  // namespace effuse
