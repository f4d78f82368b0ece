#pragma once

#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/normalization.h>

#include <cstdint>
#include <memory>

#include "models/activation.hpp"
#include "models/iddm_network.hpp"

namespace effuse {

/// Multi-head self-attention with the weights of PyTorch's MultiheadAttention: queries, keys and
/// values come from one packed projection.
class PackedAttention : public torch::nn::Module, public ChoosesKernels {
 public:
  /// `size` must be a multiple of `head_count`.
  PackedAttention(std::int64_t size, std::int64_t head_count);

  /// x: [N, L, size], and so is the result.
  at::Tensor forward(const at::Tensor& x);

  const at::Tensor& in_proj_weight() const { return in_proj_weight_; }  ///< [3 size, size]
  const at::Tensor& in_proj_bias() const { return in_proj_bias_; }      ///< [3 size]
  const at::Tensor& out_proj_bias() const { return out_proj_->bias; }   ///< [size]

 private:
  std::int64_t head_count_;
  at::Tensor in_proj_weight_, in_proj_bias_;
  torch::nn::Linear out_proj_;
};

/// Self-attention over the pixels of an image as IDDM has it: a = attention(norm(x)) + x, then
/// feed_forward(a) + a without expansion. Four heads, whatever the width.
class PixelAttention : public torch::nn::Module {
 public:
  static constexpr std::int64_t kHeads = 4;

  PixelAttention(std::int64_t channels, Activation activation);

  /// x: [N, channels, H, W], and so is the result.
  at::Tensor forward(const at::Tensor& x);

 private:
  Activation activation_;
  std::shared_ptr<PackedAttention> mha_;
  torch::nn::LayerNorm ln_;
  torch::nn::LayerNorm feed_norm_{nullptr};
  torch::nn::Linear feed_in_{nullptr}, feed_out_{nullptr};
};

/// Throws ConfigError, naming model.channels, unless PixelAttention can split them into its heads.
void require_heads(std::int64_t channels);

}  // namespace effuse
