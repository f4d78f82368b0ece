#pragma once

#include <torch/nn/modules/container/modulelist.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/normalization.h>

#include <cstdint>

#include "models/resnet_block.hpp"

namespace effuse {

/// Whether self-attention normalises its input.
enum class AttentionNorm { group, none };

/// Self-attention over the pixels of an image with a residual connection, as diffusers' Attention
/// with AttnProcessor2_0. The (HW)^2 matrix of weights is never held in memory.
class SelfAttention : public torch::nn::Module {
 public:
  SelfAttention(std::int64_t channels, const LayerOptions& options, AttentionNorm norm);

  /// x: [N, channels, H, W], and so is the result.
  at::Tensor forward(const at::Tensor& x);

 private:
  /// [N, HW, channels] to [N, heads, HW, channels / heads].
  at::Tensor split_heads(const at::Tensor& x) const;

  std::int64_t head_size_;
  torch::nn::GroupNorm group_norm_{nullptr};
  torch::nn::Linear to_q_, to_k_, to_v_;
  torch::nn::ModuleList to_out_;
};

}  // namespace effuse
