#pragma once

#include <torch/nn/modules/conv.h>

#include <cstdint>
#include <memory>

#include "models/iddm_attention.hpp"
#include "models/iddm_network.hpp"
#include "models/iddm_unet_blocks.hpp"

namespace effuse {

/// Resolutions at which it works, each half the one before.
inline constexpr std::int64_t kUNetLevels = 4;

/// IDDM's UNet, with the names and the order of its weights: four levels, attention after every
/// block, widths in model.channels (64, 128, 256, 512 by default).
///
/// Runs in fp32 or fp64, or under bf16 autocast, on CPUs and GPUs.
class UNet : public IddmNetwork {
 public:
  /// `config` is resolved. Throws ConfigError naming the key that cannot be.
  explicit UNet(const ModelConfig& config);

  /// H and W are multiples of 8; they need not be sample_size.
  at::Tensor forward(const at::Tensor& x, const at::Tensor& t, const at::Tensor& labels) override;

 private:
  std::shared_ptr<ConvPair> inc_;
  std::shared_ptr<PoolingDownBlock> down1_, down2_, down3_;
  std::shared_ptr<ConvPair> bot1_, bot2_, bot3_;
  std::shared_ptr<BilinearUpBlock> up1_, up2_, up3_;
  std::shared_ptr<PixelAttention> sa1_, sa2_, sa3_, sa4_, sa5_, sa6_;
  torch::nn::Conv2d outc_{nullptr};
};

}  // namespace effuse
