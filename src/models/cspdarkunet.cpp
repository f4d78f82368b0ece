#include "models/cspdarkunet.hpp"

#include <ATen/ATen.h>

#include "core/error.hpp"
#include "core/text.hpp"

namespace effuse {
namespace {

/// Channels of the levels, finest first.
std::vector<std::int64_t> widths_of(const ModelConfig& config) {
  const std::vector<std::int64_t> widths = iddm_channels(config, {32, 64, 128, 256, 512});
  for (std::size_t i = 0; i < widths.size(); ++i) {
    require_heads(widths[i]);
    if (i == 0 || widths[i] == 2 * widths[i - 1]) continue;
    throw ConfigError(cat("model.channels has ", widths[i], " after ", widths[i - 1],
                          ", but each must be twice the one before (cspdarkunet applies the same "
                          "convolution before and after a skip connection); give ",
                          2 * widths[i - 1]));
  }
  return widths;
}

}  // namespace

CspDarkUNet::CspDarkUNet(const ModelConfig& config) : IddmNetwork(config, kCspDarkUNetLevels) {
  const std::vector<std::int64_t> widths = widths_of(config);
  const Activation activation = iddm_activation(config.act_fn).layer;
  // Levels are numbered from 0, the finest.
  const auto down = [&](const char* name, std::size_t to, std::int64_t bottlenecks) {
    return register_module(
        name, std::make_shared<CspDownBlock>(widths[to - 1], widths[to], bottlenecks, activation));
  };
  const auto up = [&](const char* name, std::size_t to) {
    return register_module(name,
                           std::make_shared<CspUpBlock>(widths[to + 1], widths[to], 3, activation));
  };
  const auto attention = [&](const char* name, std::size_t level) {
    return register_module(name, std::make_shared<PixelAttention>(widths[level], activation));
  };
  inc_ = register_module("inc", std::make_shared<ConvNormAct>(
                                    ConvNormAct::Shape{config.in_channels, widths[0]}, activation));
  down1_ = down("down1", 1, 1);
  sa1_ = attention("sa1", 1);
  down2_ = down("down2", 2, 3);
  sa2_ = attention("sa2", 2);
  down3_ = down("down3", 3, 3);
  sa3_ = attention("sa3", 3);
  down4_ = down("down4", 4, 1);
  sa4_ = attention("sa4", 4);
  up1_ = up("up1", 3);
  sa5_ = attention("sa5", 3);
  up2_ = up("up2", 2);
  sa6_ = attention("sa6", 2);
  up3_ = up("up3", 1);
  sa7_ = attention("sa7", 1);
  up4_ = up("up4", 0);
  sa8_ = attention("sa8", 0);
  outc_ = register_module(
      "outc", torch::nn::Conv2d(torch::nn::Conv2dOptions(widths[0], config.in_channels, 1)));
}

at::Tensor CspDarkUNet::forward(const at::Tensor& x, const at::Tensor& t,
                                const at::Tensor& labels) {
  check(x, t, labels);
  const at::Tensor embedding = embed(t, labels, outc_->weight.scalar_type());
  const at::Tensor full = inc_->forward(x);
  const at::Tensor half = sa1_->forward(down1_->forward(full, embedding));
  const at::Tensor quarter = sa2_->forward(down2_->forward(half, embedding));
  const at::Tensor eighth = sa3_->forward(down3_->forward(quarter, embedding));
  at::Tensor hidden = sa4_->forward(down4_->forward(eighth, embedding));
  hidden = sa5_->forward(up1_->forward(hidden, eighth, embedding));
  hidden = sa6_->forward(up2_->forward(hidden, quarter, embedding));
  hidden = sa7_->forward(up3_->forward(hidden, half, embedding));
  hidden = sa8_->forward(up4_->forward(hidden, full, embedding));
  return outc_(hidden);
}

}  // namespace effuse
