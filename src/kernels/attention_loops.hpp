#pragma once

#include <ATen/core/Tensor.h>

namespace effuse {

/// What attention's loops compute on: [N, heads, L, D] tensors of one type (fp32, bf16, fp16), D up
/// to kWidestHead, of any strides except that the last is 1.
struct AttentionInputs {
  const at::Tensor& q;
  const at::Tensor& k;
  const at::Tensor& v;
  double scale;
};

/// Writes `out`, and of each row the base-2 logarithm of its exponentials' sum to log_sums: [N,
/// heads, L], fp32.
void attention_forward(const AttentionInputs& inputs, const at::Tensor& out,
                       const at::Tensor& log_sums);

struct AttentionGradients {
  const at::Tensor& q;
  const at::Tensor& k;
  const at::Tensor& v;
};

/// Writes the gradients of the inputs, given that of `out`; all of the inputs' kind.
void attention_backward(const AttentionInputs& inputs, const at::Tensor& out,
                        const at::Tensor& log_sums, const at::Tensor& grad_out,
                        const AttentionGradients& gradients);

}  // namespace effuse
