#pragma once

#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/normalization.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "models/activation.hpp"
#include "models/iddm_network.hpp"

namespace effuse {

/// IDDM's BaseConv: convolution without bias, norm, activation.
class ConvNormAct : public torch::nn::Module, public ChoosesKernels {
 public:
  struct Shape {
    std::int64_t in = 0, out = 0;  ///< channels
    std::int64_t kernel = 1;
    std::int64_t stride = 1;
  };

  ConvNormAct(const Shape& shape, Activation activation);

  at::Tensor forward(const at::Tensor& x);

 private:
  Activation activation_;
  torch::nn::Conv2d conv_;
  torch::nn::GroupNorm gn_;
};

/// Whether a bottleneck adds its input.
enum class Shortcut { no, yes };

/// A 1x1 and a 3x3 convolution of the same width.
class Bottleneck : public torch::nn::Module {
 public:
  Bottleneck(std::int64_t channels, Shortcut shortcut, Activation activation);

  at::Tensor forward(const at::Tensor& x);

 private:
  Shortcut shortcut_;
  std::shared_ptr<ConvNormAct> conv1_, conv2_;
};

/// A cross stage partial layer (Wang et al. 2019): half of the channels go through bottlenecks,
/// half pass by, and a 1x1 convolution mixes both.
class CspLayer : public torch::nn::Module {
 public:
  struct Shape {
    std::int64_t in = 0, out = 0;  ///< channels
    std::int64_t bottlenecks = 1;
    Shortcut shortcut = Shortcut::yes;
  };

  CspLayer(const Shape& shape, Activation activation);

  at::Tensor forward(const at::Tensor& x);

 private:
  std::shared_ptr<ConvNormAct> conv1_, conv2_, conv3_;
  std::vector<std::shared_ptr<Bottleneck>> m_;
};

/// A convolution of stride 2, a CSP layer, the embedding.
class CspDownBlock : public torch::nn::Module {
 public:
  CspDownBlock(std::int64_t in_channels, std::int64_t out_channels, std::int64_t bottlenecks,
               Activation activation);

  at::Tensor forward(const at::Tensor& x, const at::Tensor& embedding);

 private:
  std::shared_ptr<ConvNormAct> halve_;
  std::shared_ptr<CspLayer> csp_;
  std::shared_ptr<EmbeddingShift> emb_layer_;
};

/// One 1x1 convolution, applied before nearest-neighbour upsampling and again after the skip
/// connection joined, so that in_channels = 2 out_channels; then the embedding. IDDM's block also
/// has a CSP layer that it never calls: its weights are kept, frozen, for loading and saving.
class CspUpBlock : public torch::nn::Module {
 public:
  CspUpBlock(std::int64_t in_channels, std::int64_t out_channels, std::int64_t bottlenecks,
             Activation activation);

  /// skip: of out_channels channels, twice as high and wide as x.
  at::Tensor forward(const at::Tensor& x, const at::Tensor& skip, const at::Tensor& embedding);

 private:
  std::shared_ptr<ConvNormAct> conv_;
  std::shared_ptr<EmbeddingShift> emb_layer_;
};

}  // namespace effuse
