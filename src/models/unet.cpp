#include "models/unet.hpp"

#include <ATen/ATen.h>

namespace effuse {
namespace {

/// Channels of the levels, finest first.
std::vector<std::int64_t> widths_of(const ModelConfig& config) {
  const std::vector<std::int64_t> widths = iddm_channels(config, {64, 128, 256, 512});
  for (std::size_t i = 0; i < 3; ++i) require_heads(widths[i]);
  return widths;
}

}  // namespace

UNet::UNet(const ModelConfig& config) : IddmNetwork(config, kUNetLevels) {
  const std::vector<std::int64_t> widths = widths_of(config);
  const std::int64_t c1 = widths[0], c2 = widths[1], c3 = widths[2], c4 = widths[3];
  const IddmActivation activation = iddm_activation(config.act_fn);
  const auto pair = [&](const char* name, std::int64_t in, std::int64_t out) {
    return register_module(
        name, std::make_shared<ConvPair>(ConvPair::Shape{in, out, out}, activation, Residual::no));
  };
  const auto down = [&](const char* name, std::int64_t in, std::int64_t out) {
    return register_module(name, std::make_shared<PoolingDownBlock>(in, out, activation));
  };
  const auto up = [&](const char* name, std::int64_t in, std::int64_t out) {
    return register_module(name, std::make_shared<BilinearUpBlock>(in, out, activation));
  };
  const auto attention = [&](const char* name, std::int64_t channels) {
    return register_module(name, std::make_shared<PixelAttention>(channels, activation.layer));
  };
  inc_ = pair("inc", config.in_channels, c1);
  down1_ = down("down1", c1, c2);
  sa1_ = attention("sa1", c2);
  down2_ = down("down2", c2, c3);
  sa2_ = attention("sa2", c3);
  down3_ = down("down3", c3, c3);
  sa3_ = attention("sa3", c3);
  bot1_ = pair("bot1", c3, c4);
  bot2_ = pair("bot2", c4, c4);
  bot3_ = pair("bot3", c4, c3);
  up1_ = up("up1", 2 * c3, c2);
  sa4_ = attention("sa4", c2);
  up2_ = up("up2", 2 * c2, c1);
  sa5_ = attention("sa5", c1);
  up3_ = up("up3", 2 * c1, c1);
  sa6_ = attention("sa6", c1);
  outc_ = register_module("outc",
                          torch::nn::Conv2d(torch::nn::Conv2dOptions(c1, config.in_channels, 1)));
}

at::Tensor UNet::forward(const at::Tensor& x, const at::Tensor& t, const at::Tensor& labels) {
  check(x, t, labels);
  const at::Tensor embedding = embed(t, labels, outc_->weight.scalar_type());
  const at::Tensor full = inc_->forward(x);
  const at::Tensor half = sa1_->forward(down1_->forward(full, embedding));
  const at::Tensor quarter = sa2_->forward(down2_->forward(half, embedding));
  const at::Tensor eighth = sa3_->forward(down3_->forward(quarter, embedding));
  at::Tensor hidden = bot3_->forward(bot2_->forward(bot1_->forward(eighth)));
  hidden = sa4_->forward(up1_->forward(hidden, quarter, embedding));
  hidden = sa5_->forward(up2_->forward(hidden, half, embedding));
  hidden = sa6_->forward(up3_->forward(hidden, full, embedding));
  return outc_(hidden);
}

}  // namespace effuse
