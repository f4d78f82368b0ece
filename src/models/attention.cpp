#include "models/attention.hpp"

#include <ATen/ATen.h>

#include "kernels/attention.hpp"
#include "models/linear.hpp"
#include "models/norm.hpp"

namespace effuse {

SelfAttention::SelfAttention(std::int64_t channels, const LayerOptions& options, AttentionNorm norm)
    : head_size_(options.head_size > 0 ? options.head_size : channels),
      to_q_(nullptr),
      to_k_(nullptr),
      to_v_(nullptr) {
  using torch::nn::Linear;
  if (norm == AttentionNorm::group) {
    group_norm_ = register_module(
        "group_norm",
        torch::nn::GroupNorm(
            torch::nn::GroupNormOptions(options.group_count, channels).eps(options.norm_eps)));
  }
  to_q_ = register_module("to_q", Linear(channels, channels));
  to_k_ = register_module("to_k", Linear(channels, channels));
  to_v_ = register_module("to_v", Linear(channels, channels));
  to_out_ = register_module("to_out", torch::nn::ModuleList(Linear(channels, channels)));
}

at::Tensor SelfAttention::forward(const at::Tensor& x) {
  at::Tensor pixels = group_norm_ ? normalise(x, *group_norm_) : x;
  pixels = pixels.flatten(2).transpose(1, 2).contiguous();
  const at::Tensor attended =
      attention(split_heads(linear(pixels, *to_q_)), split_heads(linear(pixels, *to_k_)),
                split_heads(linear(pixels, *to_v_)));
  const at::Tensor mixed = linear(attended.transpose(1, 2).reshape({x.size(0), -1, x.size(1)}),
                                  *to_out_[0]->as<torch::nn::Linear>());
  return mixed.transpose(1, 2).reshape(x.sizes()) + x;
}

at::Tensor SelfAttention::split_heads(const at::Tensor& x) const {
  return x.view({x.size(0), x.size(1), -1, head_size_}).transpose(1, 2);
}

}  // namespace effuse
