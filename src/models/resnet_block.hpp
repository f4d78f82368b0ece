#pragma once

#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/normalization.h>

#include <cstdint>
#include <memory>

#include "models/activation.hpp"
#include "models/dropout.hpp"

namespace effuse {

/// How a residual block takes in the time embedding.
enum class TimeShift {
  add,          ///< added before the second normalisation
  scale_shift,  ///< as scale and shift after it (Dhariwal & Nichol 2021)
};

/// What all residual and attention layers of one network have in common.
struct LayerOptions {
  std::int64_t embedding_size = 0;  ///< of the time embedding
  std::int64_t group_count = 32;
  double norm_eps = 1e-5;
  double dropout = 0.0;
  std::int64_t head_size = 8;  ///< channels per attention head; 0: one head as wide as the level
  TimeShift time_shift = TimeShift::add;
  Activation activation = nullptr;
  std::shared_ptr<DropoutPositions> dropout_positions;
};

/// diffusers' ResnetBlock2D: norm, activation, convolution, time embedding, norm, activation,
/// dropout, convolution, and a shortcut (1x1 convolution where the number of channels changes).
class ResnetBlock : public torch::nn::Module {
 public:
  ResnetBlock(std::int64_t in_channels, std::int64_t out_channels, const LayerOptions& options);

  /// x: [N, in_channels, H, W]; embedding: [N, embedding_size], the time embedding with the
  /// network's activation already applied, which is the same for all blocks.
  at::Tensor forward(const at::Tensor& x, const at::Tensor& embedding);

 private:
  /// Second norm and activation.
  at::Tensor normalise_with_time(at::Tensor hidden, const at::Tensor& embedding);

  TimeShift time_shift_;
  Activation activation_;
  torch::nn::GroupNorm norm1_;
  torch::nn::Conv2d conv1_;
  torch::nn::Linear time_emb_proj_;
  torch::nn::GroupNorm norm2_;
  std::shared_ptr<Dropout> dropout_;
  torch::nn::Conv2d conv2_;
  torch::nn::Conv2d conv_shortcut_{nullptr};
};

}  // namespace effuse
