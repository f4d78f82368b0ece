#include "models/unet_blocks.hpp"

#include <ATen/ATen.h>

#include <string>

namespace effuse {
namespace {

/// Registers the modules as "<name>.0", "<name>.1" …
template <class M>
void register_list(torch::nn::Module& parent, const std::string& name,
                   const std::vector<std::shared_ptr<M>>& modules) {
  auto list = parent.register_module(name, torch::nn::ModuleList());
  for (const auto& module : modules) list->push_back(module);
}

std::shared_ptr<Resampler> register_resampler(torch::nn::Module& parent, const std::string& name,
                                              const torch::nn::Conv2dOptions& options) {
  auto resampler = std::make_shared<Resampler>(options);
  register_list(parent, name, std::vector{resampler});
  return resampler;
}

}  // namespace

void ResnetStack::add_layers(const std::vector<std::int64_t>& in_channels,
                             std::int64_t out_channels, const LayerOptions& options,
                             Attends attends) {
  for (const std::int64_t channels : in_channels) {
    resnets_.push_back(std::make_shared<ResnetBlock>(channels, out_channels, options));
    if (attends == Attends::yes) {
      attentions_.push_back(
          std::make_shared<SelfAttention>(out_channels, options, AttentionNorm::group));
    }
  }
  if (attends == Attends::yes) register_list(*this, "attentions", attentions_);
  register_list(*this, "resnets", resnets_);
}

at::Tensor ResnetStack::run_layer(std::size_t i, const at::Tensor& x, const at::Tensor& embedding) {
  const at::Tensor hidden = resnets_[i]->forward(x, embedding);
  return attentions_.empty() ? hidden : attentions_[i]->forward(hidden);
}

DownBlock::DownBlock(const DownBlockShape& shape, const LayerOptions& options, Attends attends,
                     Resample resample)
    : padding_(shape.downsample_padding) {
  std::vector<std::int64_t> in_channels(static_cast<std::size_t>(shape.layer_count),
                                        shape.out_channels);
  in_channels.front() = shape.in_channels;
  add_layers(in_channels, shape.out_channels, options, attends);
  if (resample == Resample::yes) {
    downsampler_ =
        register_resampler(*this, "downsamplers",
                           torch::nn::Conv2dOptions(shape.out_channels, shape.out_channels, 3)
                               .stride(2)
                               .padding(padding_));
  }
}

at::Tensor DownBlock::forward(at::Tensor x, const at::Tensor& embedding,
                              std::vector<at::Tensor>& skips) {
  for (std::size_t i = 0; i < layer_count(); ++i) {
    x = run_layer(i, x, embedding);
    skips.push_back(x);
  }
  if (downsampler_) {
    x = downsampler_->conv()(padding_ == 0 ? at::constant_pad_nd(x, {0, 1, 0, 1}) : x);
    skips.push_back(x);
  }
  return x;
}

MidBlock::MidBlock(std::int64_t channels, const LayerOptions& options)
    : first_(std::make_shared<ResnetBlock>(channels, channels, options)),
      second_(std::make_shared<ResnetBlock>(channels, channels, options)) {
  // As diffusers has it: the middle attention is normalised only without scale and shift.
  attention_ = std::make_shared<SelfAttention>(
      channels, options,
      options.time_shift == TimeShift::add ? AttentionNorm::group : AttentionNorm::none);
  register_list(*this, "attentions", std::vector{attention_});
  register_list(*this, "resnets", std::vector{first_, second_});
}

at::Tensor MidBlock::forward(const at::Tensor& x, const at::Tensor& embedding) {
  return second_->forward(attention_->forward(first_->forward(x, embedding)), embedding);
}

UpBlock::UpBlock(const UpBlockShape& shape, const LayerOptions& options, Attends attends,
                 Resample resample) {
  std::vector<std::int64_t> in_channels(static_cast<std::size_t>(shape.layer_count),
                                        2 * shape.out_channels);
  in_channels.front() += shape.in_channels - shape.out_channels;
  in_channels.back() += shape.skip_channels - shape.out_channels;
  add_layers(in_channels, shape.out_channels, options, attends);
  if (resample == Resample::yes) {
    upsampler_ = register_resampler(
        *this, "upsamplers",
        torch::nn::Conv2dOptions(shape.out_channels, shape.out_channels, 3).padding(1));
  }
}

at::Tensor UpBlock::forward(at::Tensor x, const at::Tensor& embedding,
                            std::vector<at::Tensor>& skips) {
  for (std::size_t i = 0; i < layer_count(); ++i) {
    x = at::cat({x, skips.back()}, 1);
    skips.pop_back();
    x = run_layer(i, x, embedding);
  }
  if (!upsampler_) return x;
  return upsampler_->conv()(at::upsample_nearest2d(x, {2 * x.size(2), 2 * x.size(3)}));
}

}  // namespace effuse
