#include "models/unet2d.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <string>
#include <utility>

#include "core/text.hpp"
#include "models/norm.hpp"
#include "models/unet2d_config.hpp"

namespace effuse {
namespace {

NetworkTraits checked_traits(const ModelConfig& config) {
  check_unet2d(config);
  return {config.in_channels, config.sample_size, config.num_class_embeds, config.null_class};
}

LayerOptions layer_options(const ModelConfig& config,
                           std::shared_ptr<DropoutPositions> dropout_positions) {
  LayerOptions options;
  options.embedding_size = 4 * config.block_out_channels.front();
  options.group_count = config.norm_num_groups;
  options.norm_eps = config.norm_eps;
  options.dropout = config.dropout;
  options.head_size = config.attention_head_dim;
  options.time_shift =
      config.resnet_time_scale_shift == "scale_shift" ? TimeShift::scale_shift : TimeShift::add;
  options.activation = diffusers_activation(config.act_fn);
  options.dropout_positions = std::move(dropout_positions);
  return options;
}

torch::nn::Conv2d conv3x3(std::int64_t in_channels, std::int64_t out_channels) {
  return torch::nn::Conv2d(torch::nn::Conv2dOptions(in_channels, out_channels, 3).padding(1));
}

Attends attends_if(bool condition) { return condition ? Attends::yes : Attends::no; }

Resample resample_if(bool condition) { return condition ? Resample::yes : Resample::no; }

}  // namespace

UNet2D::UNet2D(const ModelConfig& config)
    : Network(checked_traits(config)),
      sinusoid_{config.block_out_channels.front(), config.flip_sin_to_cos, config.freq_shift},
      center_input_(config.center_input_sample),
      activation_(diffusers_activation(config.act_fn)) {
  const LayerOptions options = layer_options(config, dropout());
  const std::int64_t width = config.block_out_channels.front();
  conv_in_ = register_module("conv_in", conv3x3(config.in_channels, width));
  time_embedding_ = register_module("time_embedding",
                                    std::make_shared<TimeEmbedding>(width, options.embedding_size));
  if (config.num_class_embeds > 0) {
    class_embedding_ = register_module(
        "class_embedding", torch::nn::Embedding(config.num_class_embeds, options.embedding_size));
  }
  add_down_blocks(config, options);
  add_up_blocks(config, options);
  mid_block_ = register_module(
      "mid_block", std::make_shared<MidBlock>(config.block_out_channels.back(), options));
  conv_norm_out_ = register_module(
      "conv_norm_out",
      torch::nn::GroupNorm(
          torch::nn::GroupNormOptions(config.norm_num_groups, width).eps(config.norm_eps)));
  conv_out_ = register_module("conv_out", conv3x3(width, config.in_channels));
}

void UNet2D::add_down_blocks(const ModelConfig& config, const LayerOptions& options) {
  auto list = register_module("down_blocks", torch::nn::ModuleList());
  const auto& channels = config.block_out_channels;
  for (std::size_t i = 0; i < channels.size(); ++i) {
    const DownBlockShape shape{channels[i == 0 ? 0 : i - 1], channels[i], config.layers_per_block,
                               config.downsample_padding};
    down_blocks_.push_back(std::make_shared<DownBlock>(
        shape, options, attends_if(config.down_block_types[i] == "AttnDownBlock2D"),
        resample_if(i + 1 < channels.size())));
    list->push_back(down_blocks_.back());
  }
}

void UNet2D::add_up_blocks(const ModelConfig& config, const LayerOptions& options) {
  auto list = register_module("up_blocks", torch::nn::ModuleList());
  const std::vector<std::int64_t> channels(config.block_out_channels.rbegin(),
                                           config.block_out_channels.rend());
  const std::size_t last = channels.size() - 1;
  for (std::size_t i = 0; i <= last; ++i) {
    const UpBlockShape shape{channels[std::min(i + 1, last)], channels[i == 0 ? 0 : i - 1],
                             channels[i], config.layers_per_block + 1};
    up_blocks_.push_back(std::make_shared<UpBlock>(
        shape, options, attends_if(config.up_block_types[i] == "AttnUpBlock2D"),
        resample_if(i < last)));
    list->push_back(up_blocks_.back());
  }
}

at::Tensor UNet2D::forward(const at::Tensor& x, const at::Tensor& t, const at::Tensor& labels) {
  check_inputs(x, t, labels);
  const std::int64_t factor = std::int64_t{1} << (down_blocks_.size() - 1);
  check_image_size(x, factor,
                   cat("its ", down_blocks_.size(), " levels (model.block_out_channels)"));
  const at::Tensor embedding = embed(t, labels);
  at::Tensor hidden = conv_in_(center_input_ ? 2 * x - 1 : x);
  std::vector<at::Tensor> skips{hidden};
  for (const auto& block : down_blocks_) hidden = block->forward(hidden, embedding, skips);
  hidden = mid_block_->forward(hidden, embedding);
  for (const auto& block : up_blocks_) hidden = block->forward(hidden, embedding, skips);
  dropout()->clear();
  return conv_out_(normalise(hidden, *conv_norm_out_, &silu));
}

at::Tensor UNet2D::embed(const at::Tensor& t, const at::Tensor& labels) {
  const at::Tensor sinusoid = sinusoids(t, sinusoid_).to(time_embedding_->scalar_type());
  at::Tensor embedding = time_embedding_->forward(sinusoid);
  if (class_embedding_) embedding = embedding + class_embedding_(labels);
  return activation_(embedding);
}

}  // namespace effuse
