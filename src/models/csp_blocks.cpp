#include "models/csp_blocks.hpp"

#include <ATen/ATen.h>

#include <string>

#include "models/norm.hpp"

namespace effuse {

ConvNormAct::ConvNormAct(const Shape& shape, Activation activation)
    : activation_(activation),
      conv_(register_module(
          "conv", torch::nn::Conv2d(torch::nn::Conv2dOptions(shape.in, shape.out, shape.kernel)
                                        .stride(shape.stride)
                                        .padding((shape.kernel - 1) / 2)
                                        .bias(false)))),
      gn_(register_module("gn", torch::nn::GroupNorm(torch::nn::GroupNormOptions(1, shape.out)))) {}

at::Tensor ConvNormAct::forward(const at::Tensor& x) {
  return normalise(conv_(x), *gn_, activation_, kernels());
}

Bottleneck::Bottleneck(std::int64_t channels, Shortcut shortcut, Activation activation)
    : shortcut_(shortcut) {
  const auto conv = [&](const char* name, std::int64_t kernel) {
    return register_module(name, std::make_shared<ConvNormAct>(
                                     ConvNormAct::Shape{channels, channels, kernel}, activation));
  };
  conv1_ = conv("conv1", 1);
  conv2_ = conv("conv2", 3);
}

at::Tensor Bottleneck::forward(const at::Tensor& x) {
  const at::Tensor hidden = conv2_->forward(conv1_->forward(x));
  return shortcut_ == Shortcut::yes ? hidden + x : hidden;
}

CspLayer::CspLayer(const Shape& shape, Activation activation) {
  const std::int64_t half = shape.out / 2;
  const auto conv = [&](const char* name, std::int64_t in, std::int64_t out) {
    return register_module(name,
                           std::make_shared<ConvNormAct>(ConvNormAct::Shape{in, out}, activation));
  };
  conv1_ = conv("conv1", shape.in, half);
  conv2_ = conv("conv2", shape.in, half);
  conv3_ = conv("conv3", 2 * half, shape.out);
  torch::nn::Module& scope = register_scope(*this, "m");
  for (std::int64_t i = 0; i < shape.bottlenecks; ++i) {
    m_.push_back(scope.register_module(
        std::to_string(i), std::make_shared<Bottleneck>(half, shape.shortcut, activation)));
  }
}

at::Tensor CspLayer::forward(const at::Tensor& x) {
  at::Tensor deep = conv1_->forward(x);
  for (const auto& bottleneck : m_) deep = bottleneck->forward(deep);
  return conv3_->forward(at::cat({deep, conv2_->forward(x)}, 1));
}

CspDownBlock::CspDownBlock(std::int64_t in_channels, std::int64_t out_channels,
                           std::int64_t bottlenecks, Activation activation) {
  torch::nn::Module& scope = register_scope(*this, "conv_csp");
  halve_ = scope.register_module(
      "0", std::make_shared<ConvNormAct>(ConvNormAct::Shape{in_channels, out_channels, 3, 2},
                                         activation));
  csp_ = scope.register_module(
      "1",
      std::make_shared<CspLayer>(
          CspLayer::Shape{out_channels, out_channels, bottlenecks, Shortcut::yes}, activation));
  emb_layer_ = register_module("emb_layer", std::make_shared<EmbeddingShift>(out_channels));
}

at::Tensor CspDownBlock::forward(const at::Tensor& x, const at::Tensor& embedding) {
  return emb_layer_->forward(csp_->forward(halve_->forward(x)), embedding);
}

CspUpBlock::CspUpBlock(std::int64_t in_channels, std::int64_t out_channels,
                       std::int64_t bottlenecks, Activation activation)
    : conv_(
          register_module("conv", std::make_shared<ConvNormAct>(
                                      ConvNormAct::Shape{in_channels, out_channels}, activation))) {
  const auto unused = register_module(
      "csp",
      std::make_shared<CspLayer>(
          CspLayer::Shape{in_channels, out_channels, bottlenecks, Shortcut::no}, activation));
  for (const at::Tensor& parameter : unused->parameters()) parameter.set_requires_grad(false);
  emb_layer_ = register_module("emb_layer", std::make_shared<EmbeddingShift>(out_channels));
}

at::Tensor CspUpBlock::forward(const at::Tensor& x, const at::Tensor& skip,
                               const at::Tensor& embedding) {
  const at::Tensor narrow = conv_->forward(x);
  const at::Tensor finer = at::upsample_nearest2d(narrow, {2 * x.size(2), 2 * x.size(3)});
  return emb_layer_->forward(conv_->forward(at::cat({skip, finer}, 1)), embedding);
}

}  // namespace effuse
