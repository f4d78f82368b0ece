#include "models/resnet_block.hpp"

#include <ATen/ATen.h>

#include <utility>

#include "models/norm.hpp"

namespace effuse {
namespace {

torch::nn::GroupNorm group_norm(std::int64_t channels, const LayerOptions& options) {
  return torch::nn::GroupNorm(
      torch::nn::GroupNormOptions(options.group_count, channels).eps(options.norm_eps));
}

torch::nn::Conv2d conv(std::int64_t in_channels, std::int64_t out_channels, std::int64_t kernel) {
  return torch::nn::Conv2d(
      torch::nn::Conv2dOptions(in_channels, out_channels, kernel).padding(kernel / 2));
}

}  // namespace

ResnetBlock::ResnetBlock(std::int64_t in_channels, std::int64_t out_channels,
                         const LayerOptions& options)
    : time_shift_(options.time_shift),
      activation_(options.activation),
      norm1_(register_module("norm1", group_norm(in_channels, options))),
      conv1_(register_module("conv1", conv(in_channels, out_channels, 3))),
      time_emb_proj_(register_module(
          "time_emb_proj",
          torch::nn::Linear(options.embedding_size, options.time_shift == TimeShift::scale_shift
                                                        ? 2 * out_channels
                                                        : out_channels))),
      norm2_(register_module("norm2", group_norm(out_channels, options))),
      dropout_(register_module(
          "dropout", std::make_shared<Dropout>(options.dropout, options.dropout_positions))),
      conv2_(register_module("conv2", conv(out_channels, out_channels, 3))) {
  if (in_channels != out_channels) {
    conv_shortcut_ = register_module("conv_shortcut", conv(in_channels, out_channels, 1));
  }
}

at::Tensor ResnetBlock::forward(const at::Tensor& x, const at::Tensor& embedding) {
  at::Tensor hidden = conv1_(normalise(x, *norm1_, activation_));
  hidden = normalise_with_time(std::move(hidden), embedding);
  hidden = conv2_(dropout_->forward(hidden));
  // A convolution keeps its input for the backward pass, not its output: adding in place is safe.
  return hidden.add_(conv_shortcut_ ? conv_shortcut_(x) : x);
}

at::Tensor ResnetBlock::normalise_with_time(at::Tensor hidden, const at::Tensor& embedding) {
  const at::Tensor time = time_emb_proj_(embedding);
  if (time_shift_ == TimeShift::add) {
    return normalise(hidden.add_(time.unsqueeze(2).unsqueeze(3)), *norm2_, activation_);
  }
  const auto scale_and_shift = time.chunk(2, 1);
  return normalise_scaled(hidden, *norm2_, scale_and_shift[0] + 1, scale_and_shift[1], activation_);
}

}  // namespace effuse
