#pragma once

#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/embedding.h>
#include <torch/nn/modules/normalization.h>

#include <memory>
#include <vector>

#include "config/config.hpp"
#include "models/embeddings.hpp"
#include "models/network.hpp"
#include "models/unet_blocks.hpp"

namespace effuse {

/// The U-Net of "Denoising Diffusion Probabilistic Models" (Ho et al. 2020) with the options of
/// Dhariwal & Nichol (2021): the network, weight names and their order are those of diffusers'
/// UNet2DModel with positional time embedding and convolutional resampling, and so are the
/// configuration keys.
///
/// Runs in fp32 or fp64, or under bf16 autocast, on CPUs and GPUs.
class UNet2D : public Network {
 public:
  /// `config` is resolved: sample_size, in_channels and num_class_embeds hold no placeholders.
  /// Throws ConfigError naming the key that cannot be.
  explicit UNet2D(const ModelConfig& config);

  /// H and W are multiples of 2^(levels-1); they need not be sample_size.
  at::Tensor forward(const at::Tensor& x, const at::Tensor& t, const at::Tensor& labels) override;

 private:
  void add_down_blocks(const ModelConfig& config, const LayerOptions& options);
  void add_up_blocks(const ModelConfig& config, const LayerOptions& options);

  /// [N, embedding_size] of time and class, activated for the residual blocks.
  at::Tensor embed(const at::Tensor& t, const at::Tensor& labels);

  SinusoidOptions sinusoid_;
  bool center_input_;
  Activation activation_;
  torch::nn::Conv2d conv_in_{nullptr};
  std::shared_ptr<TimeEmbedding> time_embedding_;
  torch::nn::Embedding class_embedding_{nullptr};
  std::vector<std::shared_ptr<DownBlock>> down_blocks_;
  std::vector<std::shared_ptr<UpBlock>> up_blocks_;
  std::shared_ptr<MidBlock> mid_block_;
  torch::nn::GroupNorm conv_norm_out_{nullptr};
  torch::nn::Conv2d conv_out_{nullptr};
};

}  // namespace effuse
