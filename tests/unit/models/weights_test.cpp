#include "models/weights.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/conv.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "core/error.hpp"
#include "models/factory.hpp"
#include "models/network.hpp"
#include "small_network.hpp"

namespace effuse {
namespace {

NamedTensors copy_of(const NamedTensors& weights) {
  NamedTensors copy;
  for (const auto& [name, tensor] : weights) copy.emplace_back(name, tensor.clone());
  return copy;
}

bool same(const NamedTensors& a, const NamedTensors& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i].first != b[i].first || !at::equal(a[i].second, b[i].second)) return false;
  }
  return true;
}

at::Tensor weight_named(const Network& network, const std::string& name) {
  for (const auto& [known, tensor] : named_weights(network)) {
    if (known == name) return tensor;
  }
  return {};
}

class WeightsTest : public testing::Test {
 protected:
  void SetUp() override { initialise_weights(*network_, 5); }

  /// The message with which `weights` are refused; checks that none was loaded.
  std::string refusal(const NamedTensors& weights) {
    const NamedTensors before = copy_of(named_weights(*network_));
    std::string message;
    try {
      load_weights(*network_, weights);
    } catch (const CheckpointError& error) {
      message = error.what();
    }
    EXPECT_TRUE(same(before, named_weights(*network_)));
    return message;
  }

  std::shared_ptr<Network> network_ = make_network(small_network());
};

TEST_F(WeightsTest, LoadInAnyOrder) {
  const auto other = make_network(small_network());
  initialise_weights(*other, 6);
  NamedTensors weights = copy_of(named_weights(*other));
  std::reverse(weights.begin(), weights.end());
  load_weights(*network_, weights);
  EXPECT_TRUE(same(named_weights(*network_), named_weights(*other)));
}

TEST_F(WeightsTest, ShareTheirStorageWithTheNetwork) {
  named_weights(*network_)[0].second.fill_(3.0);
  EXPECT_TRUE(network_->parameters()[0].eq(3.0).all().item<bool>());
}

TEST_F(WeightsTest, ListEveryMisfitAndLoadNothing) {
  NamedTensors weights;
  for (auto& [name, tensor] : copy_of(named_weights(*network_))) {
    if (name == "conv_in.bias") continue;
    weights.emplace_back(name, name == "conv_out.bias" ? at::zeros({7}) : tensor + 1);
  }
  weights.emplace_back("module.extra", at::zeros({2, 3}));
  const std::string message = refusal(weights);
  EXPECT_NE(message.find("3 tensors do not fit"), std::string::npos) << message;
  EXPECT_NE(message.find("missing conv_in.bias [8]"), std::string::npos) << message;
  EXPECT_NE(message.find("shape [7] instead of [1] for conv_out.bias"), std::string::npos);
  EXPECT_NE(message.find("unexpected module.extra [2, 3]"), std::string::npos) << message;
}

TEST_F(WeightsTest, RefuseATensorGivenTwice) {
  NamedTensors weights = copy_of(named_weights(*network_));
  weights.push_back(weights.front());
  EXPECT_NE(refusal(weights).find("given twice: conv_in.weight"), std::string::npos);
}

TEST_F(WeightsTest, RefuseAnEmptySet) {
  const std::size_t count = named_weights(*network_).size();
  EXPECT_NE(refusal({}).find(std::to_string(count) + " tensors do not fit"), std::string::npos);
}

TEST_F(WeightsTest, ComeParametersBeforeBuffersBeforeChildren) {
  torch::nn::Sequential sequence(torch::nn::Conv2d(1, 2, 1), torch::nn::BatchNorm2d(2));
  std::string names;
  for (const auto& item : named_weights(*sequence)) names += item.first + ' ';
  EXPECT_EQ(names,
            "0.weight 0.bias 1.weight 1.bias 1.running_mean 1.running_var "
            "1.num_batches_tracked ");
}

TEST_F(WeightsTest, StartFromTheSeedAlone) {
  const auto again = make_network(small_network());
  at::manual_seed(99);
  initialise_weights(*again, 5);
  EXPECT_TRUE(same(named_weights(*network_), named_weights(*again)));
  initialise_weights(*again, 6);
  EXPECT_FALSE(same(named_weights(*network_), named_weights(*again)));
}

TEST_F(WeightsTest, StartFromTheDistributionsOfPyTorch) {
  const at::Tensor conv = weight_named(*network_, "down_blocks.1.resnets.0.conv2.weight");
  const double bound = 1.0 / std::sqrt(16 * 9);
  EXPECT_LE(conv.abs().max().item<double>(), bound * (1 + 1e-6));
  EXPECT_NEAR(conv.std().item<double>(), bound / std::sqrt(3.0), 0.03 * bound);
  EXPECT_NEAR(conv.mean().item<double>(), 0.0, 0.05 * bound);
  const at::Tensor bias = weight_named(*network_, "down_blocks.1.resnets.0.conv2.bias");
  EXPECT_LE(bias.abs().max().item<double>(), bound);
  EXPECT_GT(bias.abs().max().item<double>(), 0.5 * bound);
  const at::Tensor embedding = weight_named(*network_, "class_embedding.weight");
  EXPECT_NEAR(embedding.std().item<double>(), 1.0, 0.2);
  EXPECT_TRUE(weight_named(*network_, "conv_norm_out.weight").eq(1).all().item<bool>());
  EXPECT_TRUE(weight_named(*network_, "conv_norm_out.bias").eq(0).all().item<bool>());
}

TEST_F(WeightsTest, CountAsParameters) {
  std::int64_t count = 0;
  for (const auto& item : named_weights(*network_)) count += item.second.numel();
  EXPECT_EQ(count_parameters(*network_), count);
}

}  // namespace
}  // namespace effuse
