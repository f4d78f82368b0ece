#pragma once

#include <torch/nn/modules/conv.h>

#include <cstdint>
#include <memory>

#include "models/csp_blocks.hpp"
#include "models/iddm_attention.hpp"
#include "models/iddm_network.hpp"

namespace effuse {

/// Resolutions at which it works, each half the one before.
inline constexpr std::int64_t kCspDarkUNetLevels = 5;

/// IDDM's CSPDarkUnet, with the names and the order of its weights: five levels of cross stage
/// partial blocks, attention after every block, widths in model.channels (32, 64, 128, 256, 512 by
/// default; each twice the one before).
///
/// The weights up1.csp to up4.csp are never used, there as here: they are kept for loading, and do
/// not require gradients. Runs in fp32 or fp64, or under bf16 autocast, on CPUs and GPUs.
class CspDarkUNet : public IddmNetwork {
 public:
  /// `config` is resolved. Throws ConfigError naming the key that cannot be.
  explicit CspDarkUNet(const ModelConfig& config);

  /// H and W are multiples of 16; they need not be sample_size.
  at::Tensor forward(const at::Tensor& x, const at::Tensor& t, const at::Tensor& labels) override;

 private:
  std::shared_ptr<ConvNormAct> inc_;
  std::shared_ptr<CspDownBlock> down1_, down2_, down3_, down4_;
  std::shared_ptr<CspUpBlock> up1_, up2_, up3_, up4_;
  std::shared_ptr<PixelAttention> sa1_, sa2_, sa3_, sa4_, sa5_, sa6_, sa7_, sa8_;
  torch::nn::Conv2d outc_{nullptr};
};

}  // namespace effuse
