#include "exchange/pretrained.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/nn/modules/container/modulelist.h>
#include <torch/nn/modules/linear.h>

#include "core/error.hpp"
#include "support/error_message.hpp"

namespace effuse {
namespace {

TEST(Pretrained, TakesWhatFitsAndListsTheRest) {
  torch::nn::Linear layer(3, 2);
  const at::Tensor bias = layer->bias.detach().clone();
  const at::Tensor weight = at::arange(6).view({2, 3}).to(at::kHalf);
  const PretrainedReport report = load_pretrained(
      *layer, {{"weight", weight}, {"bias", at::zeros({3})}, {"other", at::zeros({1})}}, "f");
  EXPECT_EQ(report.loaded, std::vector<std::string>{"weight [2, 3]"});
  EXPECT_EQ(report.misfits(), (std::vector<std::string>{"shape [3] instead of [2] for bias",
                                                        "unexpected other [1]"}));
  EXPECT_TRUE(layer->weight.equal(weight.to(at::kFloat)));
  EXPECT_TRUE(layer->bias.equal(bias));
  EXPECT_EQ(load_pretrained(*layer, {{"weight", weight}}, "f").misfits(),
            std::vector<std::string>{"missing bias [2]"});
}

TEST(Pretrained, OfWhichNothingFitsIsAnError) {
  torch::nn::Linear layer(3, 2);
  NamedTensors others{{"weight", at::zeros({3, 2})}};
  for (int i = 0; i < 8; ++i) others.emplace_back(std::to_string(i), at::zeros({1}));
  const std::string message =
      message_of<ConfigError>([&] { load_pretrained(*layer, others, "f.pt"); });
  EXPECT_TRUE(message.starts_with("model.pretrained: nothing in f.pt fits the network")) << message;
  EXPECT_NE(message.find("\n  shape [3, 2] instead of [2, 3] for weight"), std::string::npos);
  EXPECT_TRUE(message.ends_with("\n  and 4 more")) << message;
}

}  // namespace
}  // namespace effuse
