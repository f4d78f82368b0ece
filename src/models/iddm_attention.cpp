#include "models/iddm_attention.hpp"

#include <ATen/ATen.h>

#include "core/error.hpp"
#include "core/text.hpp"
#include "kernels/attention.hpp"
#include "models/linear.hpp"

namespace effuse {
PackedAttention::PackedAttention(std::int64_t size, std::int64_t head_count)
    : head_count_(head_count),
      in_proj_weight_(register_parameter("in_proj_weight", at::empty({3 * size, size}))),
      in_proj_bias_(register_parameter("in_proj_bias", at::zeros({3 * size}))),
      out_proj_(register_module("out_proj", torch::nn::Linear(size, size))) {}

at::Tensor PackedAttention::forward(const at::Tensor& x) {
  if (kernels() == Kernels::iddm) {
    return std::get<0>(at::_native_multi_head_attention(x, x, x, x.size(2), head_count_,
                                                        in_proj_weight_, in_proj_bias_,
                                                        out_proj_->weight, out_proj_->bias));
  }
  const at::Tensor packed = at::linear(x, in_proj_weight_, in_proj_bias_);
  // Three times [N, L, heads, size / heads].
  const auto parts = packed.view({x.size(0), x.size(1), 3, head_count_, -1}).unbind(2);
  const at::Tensor attended =
      attention(parts[0].transpose(1, 2), parts[1].transpose(1, 2), parts[2].transpose(1, 2));
  return linear(attended.transpose(1, 2).reshape(x.sizes()), *out_proj_);
}

PixelAttention::PixelAttention(std::int64_t channels, Activation activation)
    : activation_(activation),
      mha_(register_module("mha", std::make_shared<PackedAttention>(channels, kHeads))),
      ln_(register_module("ln", torch::nn::LayerNorm(torch::nn::LayerNormOptions({channels})))) {
  torch::nn::Module& feed = register_scope(*this, "ff_self");
  feed_norm_ =
      feed.register_module("0", torch::nn::LayerNorm(torch::nn::LayerNormOptions({channels})));
  feed_in_ = feed.register_module("1", torch::nn::Linear(channels, channels));
  feed_out_ = feed.register_module("3", torch::nn::Linear(channels, channels));
}

at::Tensor PixelAttention::forward(const at::Tensor& x) {
  const at::Tensor pixels = x.flatten(2).transpose(1, 2);
  const at::Tensor attended = mha_->forward(ln_(pixels)) + pixels;
  const at::Tensor inner = activation_(linear(feed_norm_(attended), *feed_in_));
  const at::Tensor fed = linear(inner, *feed_out_) + attended;
  return fed.transpose(1, 2).reshape(x.sizes());
}

void require_heads(std::int64_t channels) {
  if (channels % PixelAttention::kHeads == 0) return;
  throw ConfigError(cat("model.channels has ", channels, ", which is no multiple of ",
                        PixelAttention::kHeads,
                        ", so it cannot be split into attention heads; change it"));
}

}  // namespace effuse
