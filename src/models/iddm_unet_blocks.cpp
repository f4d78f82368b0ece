#include "models/iddm_unet_blocks.hpp"

#include <ATen/ATen.h>

#include "models/norm.hpp"
#include "models/upsample.hpp"

namespace effuse {
namespace {

torch::nn::Conv2d conv3x3(std::int64_t in_channels, std::int64_t out_channels) {
  return torch::nn::Conv2d(
      torch::nn::Conv2dOptions(in_channels, out_channels, 3).padding(1).bias(false));
}

torch::nn::GroupNorm norm_over_all(std::int64_t channels) {
  return torch::nn::GroupNorm(torch::nn::GroupNormOptions(1, channels));
}

std::shared_ptr<ConvPair> register_pair(torch::nn::Module& scope, const char* name,
                                        const ConvPair::Shape& shape,
                                        const IddmActivation& activation, Residual residual) {
  return scope.register_module(name, std::make_shared<ConvPair>(shape, activation, residual));
}

}  // namespace

ConvPair::ConvPair(const Shape& shape, const IddmActivation& activation, Residual residual)
    : activation_(activation), residual_(residual) {
  torch::nn::Module& scope = register_scope(*this, "double_conv");
  conv1_ = scope.register_module("0", conv3x3(shape.in, shape.middle));
  norm1_ = scope.register_module("1", norm_over_all(shape.middle));
  conv2_ = scope.register_module("3", conv3x3(shape.middle, shape.out));
  norm2_ = scope.register_module("4", norm_over_all(shape.out));
}

at::Tensor ConvPair::forward(const at::Tensor& x) {
  const at::Tensor middle = normalise(conv1_(x), *norm1_, activation_.layer, kernels());
  const at::Tensor hidden = normalise(conv2_(middle), *norm2_, nullptr, kernels());
  return residual_ == Residual::yes ? activation_.after_residual(x + hidden) : hidden;
}

PoolingDownBlock::PoolingDownBlock(std::int64_t in_channels, std::int64_t out_channels,
                                   const IddmActivation& activation) {
  torch::nn::Module& scope = register_scope(*this, "maxpool_conv");
  refine_ =
      register_pair(scope, "1", {in_channels, in_channels, in_channels}, activation, Residual::yes);
  widen_ = register_pair(scope, "2", {in_channels, out_channels, out_channels}, activation,
                         Residual::no);
  emb_layer_ = register_module("emb_layer", std::make_shared<EmbeddingShift>(out_channels));
}

at::Tensor PoolingDownBlock::forward(const at::Tensor& x, const at::Tensor& embedding) {
  return emb_layer_->forward(widen_->forward(refine_->forward(at::max_pool2d(x, 2))), embedding);
}

BilinearUpBlock::BilinearUpBlock(std::int64_t in_channels, std::int64_t out_channels,
                                 const IddmActivation& activation) {
  torch::nn::Module& scope = register_scope(*this, "conv");
  refine_ =
      register_pair(scope, "0", {in_channels, in_channels, in_channels}, activation, Residual::yes);
  narrow_ = register_pair(scope, "1", {in_channels, in_channels / 2, out_channels}, activation,
                          Residual::no);
  emb_layer_ = register_module("emb_layer", std::make_shared<EmbeddingShift>(out_channels));
}

at::Tensor BilinearUpBlock::forward(const at::Tensor& x, const at::Tensor& skip,
                                    const at::Tensor& embedding) {
  const at::Tensor finer = upsample_bilinear(x);
  const at::Tensor merged = at::cat({skip, finer}, 1);
  return emb_layer_->forward(narrow_->forward(refine_->forward(merged)), embedding);
}

}  // namespace effuse
