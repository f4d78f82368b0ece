#pragma once

#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/normalization.h>

#include <cstdint>
#include <memory>

#include "models/activation.hpp"
#include "models/iddm_network.hpp"

namespace effuse {

/// Whether a pair of convolutions ends with an activation of the sum with its input.
enum class Residual { no, yes };

/// IDDM's DoubleConv: convolution, norm, activation, convolution, norm; 3x3 without bias.
class ConvPair : public torch::nn::Module, public ChoosesKernels {
 public:
  struct Shape {
    std::int64_t in = 0, middle = 0, out = 0;  ///< channels; in = out where residual
  };

  ConvPair(const Shape& shape, const IddmActivation& activation, Residual residual);

  /// [N, in, H, W] to [N, out, H, W].
  at::Tensor forward(const at::Tensor& x);

 private:
  IddmActivation activation_;
  Residual residual_;
  torch::nn::Conv2d conv1_{nullptr}, conv2_{nullptr};
  torch::nn::GroupNorm norm1_{nullptr}, norm2_{nullptr};
};

/// Max-pooling by two, a residual and a plain pair of convolutions, the embedding.
class PoolingDownBlock : public torch::nn::Module {
 public:
  PoolingDownBlock(std::int64_t in_channels, std::int64_t out_channels,
                   const IddmActivation& activation);

  at::Tensor forward(const at::Tensor& x, const at::Tensor& embedding);

 private:
  std::shared_ptr<ConvPair> refine_, widen_;
  std::shared_ptr<EmbeddingShift> emb_layer_;
};

/// Bilinear upsampling by two (corners aligned), the skip connection, a residual and a plain pair
/// of convolutions, the embedding.
class BilinearUpBlock : public torch::nn::Module {
 public:
  /// `in_channels`: of the skip connection and the coarser level together.
  BilinearUpBlock(std::int64_t in_channels, std::int64_t out_channels,
                  const IddmActivation& activation);

  at::Tensor forward(const at::Tensor& x, const at::Tensor& skip, const at::Tensor& embedding);

 private:
  std::shared_ptr<ConvPair> refine_, narrow_;
  std::shared_ptr<EmbeddingShift> emb_layer_;
};

}  // namespace effuse
