#include "models/unet2d_config.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "models/factory.hpp"
#include "models/network.hpp"
#include "refusal.hpp"
#include "small_network.hpp"

namespace effuse {
namespace {

std::string refusal_of(const std::function<void(ModelConfig&)>& change) {
  ModelConfig config = small_network();
  change(config);
  return refusal([&] { make_network(config); });
}

using testing::Test;

TEST(UNet2DConfig, AcceptsASoundOne) {
  EXPECT_EQ(refusal_of([](ModelConfig&) {}), "");
}

TEST(UNet2DConfig, NamesTheListOfAnotherLength) {
  expect_contains(refusal_of([](ModelConfig& c) { c.down_block_types.pop_back(); }),
                  "model.down_block_types has 1 entries but model.block_out_channels has 2");
  expect_contains(refusal_of([](ModelConfig& c) { c.up_block_types.emplace_back("UpBlock2D"); }),
                  "model.up_block_types has 3 entries");
  expect_contains(refusal_of([](ModelConfig& c) { c.block_out_channels.clear(); }),
                  "model.block_out_channels has 0 entries");
  expect_contains(refusal_of([](ModelConfig& c) {
                    c.channels = {8, 16};
                  }),
                  "model.channels has 2 entries, but unet2d takes its channels from");
}

TEST(UNet2DConfig, NamesTheNearestBlock) {
  expect_contains(refusal_of([](ModelConfig& c) { c.down_block_types[1] = "AttnDownBlock2"; }),
                  "did you mean \"AttnDownBlock2D\"?");
  expect_contains(refusal_of([](ModelConfig& c) { c.up_block_types[0] = "DownBlock2D"; }),
                  "model.up_block_types has \"DownBlock2D\"");
}

TEST(UNet2DConfig, NamesChannelsThatGroupsOrHeadsDoNotDivide) {
  expect_contains(refusal_of([](ModelConfig& c) { c.norm_num_groups = 5; }),
                  "model.block_out_channels has 8, which is no multiple of model.norm_num_groups");
  expect_contains(refusal_of([](ModelConfig& c) { c.attention_head_dim = 6; }),
                  "model.block_out_channels has 16, which is no multiple of "
                  "model.attention_head_dim (6)");
  expect_contains(refusal_of([](ModelConfig& c) { c.attention_head_dim = -1; }),
                  "model.attention_head_dim is -1");
}

TEST(UNet2DConfig, TakesNoHeadSizeAsOneHeadALevel) {
  EXPECT_EQ(refusal_of([](ModelConfig& c) { c.attention_head_dim = 0; }), "");
}

TEST(UNet2DConfig, LetsLevelsWithoutAttentionHaveAnyWidth) {
  EXPECT_EQ(refusal_of([](ModelConfig& c) { c.attention_head_dim = 16; }), "");
}

TEST(UNet2DConfig, NamesASampleSizeThatCannotBeHalved) {
  expect_contains(refusal_of([](ModelConfig& c) { c.sample_size = 9; }),
                  "model.sample_size is 9 but 2 levels halve it 1 times; make it a multiple of 2");
}

TEST(UNet2DConfig, RefusesPlaceholders) {
  expect_contains(refusal_of([](ModelConfig& c) { c.sample_size = 0; }), "model.sample_size is 0");
  expect_contains(refusal_of([](ModelConfig& c) { c.in_channels = 0; }), "model.in_channels is 0");
  expect_contains(refusal_of([](ModelConfig& c) { c.num_class_embeds = -1; }),
                  "model.num_class_embeds is -1");
}

TEST(UNet2DConfig, RefusesScalarsOutOfRange) {
  expect_contains(refusal_of([](ModelConfig& c) { c.freq_shift = 4; }), "model.freq_shift is 4");
  expect_contains(refusal_of([](ModelConfig& c) { c.dropout = 1; }), "model.dropout is 1");
  expect_contains(refusal_of([](ModelConfig& c) { c.downsample_padding = 2; }),
                  "model.downsample_padding is 2");
  expect_contains(refusal_of([](ModelConfig& c) { c.layers_per_block = 0; }),
                  "model.layers_per_block is 0");
  expect_contains(refusal_of([](ModelConfig& c) { c.resnet_time_scale_shift = "shift"; }),
                  "model.resnet_time_scale_shift is \"shift\"");
}

TEST(UNet2DConfig, NamesTheNearestActivationAndNetwork) {
  expect_contains(
      refusal_of([](ModelConfig& c) { c.act_fn = "sillu"; }),
      "model.act_fn is \"sillu\", which is no known activation; did you mean \"silu\"?");
  expect_contains(refusal_of([](ModelConfig& c) { c.name = "unet2"; }),
                  "model.name is \"unet2\", which is no known network; did you mean \"unet2d\"?");
  expect_contains(refusal_of([](ModelConfig& c) { c.name = "cspdarknet"; }),
                  "no known network; did you mean \"cspdarkunet\"?");
  expect_contains(refusal_of([](ModelConfig& c) { c.act_fn = "relu6"; }),
                  "model.act_fn is \"relu6\", which unet2d does not have; it has silu, swish");
}

class UNet2DInput : public Test {
 protected:
  std::string refusal_of_input(at::Tensor x, at::Tensor t, at::Tensor labels) {
    return refusal([&] { network_->forward(x, t, labels); });
  }

  std::shared_ptr<Network> network_ = make_network(small_network());
  at::Tensor x_ = at::zeros({2, 1, 8, 8});
  at::Tensor t_ = at::zeros({2}, at::kLong);
  at::Tensor labels_ = at::zeros({2}, at::kLong);
};

TEST_F(UNet2DInput, OfTheRightShapesIsTaken) {
  EXPECT_EQ(refusal_of_input(x_, t_, labels_), "");
  EXPECT_EQ(refusal_of_input(at::zeros({2, 1, 4, 6}), t_, labels_), "");
}

TEST_F(UNet2DInput, OfOtherShapesIsRefused) {
  expect_contains(refusal_of_input(at::zeros({2, 3, 8, 8}), t_, labels_), "model.in_channels is 1");
  expect_contains(refusal_of_input(at::zeros({2, 1, 8, 7}), t_, labels_),
                  "images of 8x7 but its 2 levels (model.block_out_channels) need multiples of 2");
  expect_contains(refusal_of_input(x_, at::zeros({1}, at::kLong), labels_), "time steps of shape");
  expect_contains(refusal_of_input(x_, t_, at::zeros({3}, at::kLong)), "labels of shape");
  expect_contains(refusal_of_input(x_, t_, at::Tensor()), "got no labels; give the null class 3");
}

TEST_F(UNet2DInput, WithLabelsIsRefusedWithoutClasses) {
  ModelConfig config = small_network();
  config.num_class_embeds = 0;
  network_ = make_network(config);
  EXPECT_EQ(refusal_of_input(x_, t_, at::Tensor()), "");
  expect_contains(refusal_of_input(x_, t_, labels_), "got labels but has no classes");
}

}  // namespace
}  // namespace effuse
