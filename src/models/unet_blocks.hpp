#pragma once

#include <torch/nn/modules/conv.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "models/attention.hpp"
#include "models/resnet_block.hpp"

namespace effuse {

/// Whether a level attends: AttnDownBlock2D against DownBlock2D, AttnUpBlock2D against UpBlock2D.
enum class Attends { no, yes };

/// The residual blocks of one level, each followed by self-attention where the level attends.
/// Registers "attentions" before "resnets", as diffusers does.
class ResnetStack : public torch::nn::Module {
 protected:
  /// resnets[i] maps in_channels[i] to out_channels; as many attentions as resnets, or none.
  void add_layers(const std::vector<std::int64_t>& in_channels, std::int64_t out_channels,
                  const LayerOptions& options, Attends attends);

  at::Tensor run_layer(std::size_t i, const at::Tensor& x, const at::Tensor& embedding);

  std::size_t layer_count() const { return resnets_.size(); }

 private:
  std::vector<std::shared_ptr<SelfAttention>> attentions_;
  std::vector<std::shared_ptr<ResnetBlock>> resnets_;
};

/// A convolution under the name "conv" inside a module, as diffusers nests it.
class Resampler : public torch::nn::Module {
 public:
  explicit Resampler(const torch::nn::Conv2dOptions& options)
      : conv_(register_module("conv", torch::nn::Conv2d(options))) {}

  torch::nn::Conv2d& conv() { return conv_; }

 private:
  torch::nn::Conv2d conv_;
};

struct DownBlockShape {
  std::int64_t in_channels = 0;
  std::int64_t out_channels = 0;
  std::int64_t layer_count = 1;
  std::int64_t downsample_padding = 1;  ///< 0: one pixel of zeros right and below instead
};

enum class Resample { no, yes };

/// (Attn)DownBlock2D: layers, then a convolution of stride 2 at all levels but the last.
class DownBlock : public ResnetStack {
 public:
  DownBlock(const DownBlockShape& shape, const LayerOptions& options, Attends attends,
            Resample resample);

  /// Appends what each layer, and the downsampling, gives to `skips`, and returns the last of it.
  at::Tensor forward(at::Tensor x, const at::Tensor& embedding, std::vector<at::Tensor>& skips);

 private:
  std::int64_t padding_;
  std::shared_ptr<Resampler> downsampler_;
};

/// UNetMidBlock2D: residual block, self-attention, residual block.
class MidBlock : public torch::nn::Module {
 public:
  MidBlock(std::int64_t channels, const LayerOptions& options);

  at::Tensor forward(const at::Tensor& x, const at::Tensor& embedding);

 private:
  std::shared_ptr<SelfAttention> attention_;
  std::shared_ptr<ResnetBlock> first_, second_;
};

struct UpBlockShape {
  std::int64_t skip_channels = 0;  ///< of the skip connection that the last layer takes
  std::int64_t in_channels = 0;    ///< of what the coarser level gives
  std::int64_t out_channels = 0;
  std::int64_t layer_count = 1;
};

/// (Attn)UpBlock2D: each layer takes one skip connection; then nearest-neighbour upsampling and a
/// convolution at all levels but the last.
class UpBlock : public ResnetStack {
 public:
  UpBlock(const UpBlockShape& shape, const LayerOptions& options, Attends attends,
          Resample resample);

  /// Takes one tensor per layer off the end of `skips`.
  at::Tensor forward(at::Tensor x, const at::Tensor& embedding, std::vector<at::Tensor>& skips);

 private:
  std::shared_ptr<Resampler> upsampler_;
};

}  // namespace effuse
