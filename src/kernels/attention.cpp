#include "kernels/attention.hpp"

#include <ATen/ATen.h>
#include <ATen/record_function.h>
#include <torch/csrc/autograd/custom_function.h>

#include <cmath>

#include "kernels/attention_loops.hpp"
#include "kernels/attention_rows.hpp"
#include "kernels/first_derivative.hpp"

namespace effuse {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// Up to where our kernels were faster than libtorch's, forwards and backwards together. On an AMD
/// EPYC with AVX-512, one thread, L = 16 … 1024 (kernel_benchmark attention): fp32 3 to 5 times at
/// D = 8, 1.2 to 1.9 at 16 and 32, 0.85 to 1.2 at 48 and 64; bf16 4 to 12 times at D = 8, 1.3 to 5
/// at 32, 1.1 to 3 at 64; fp16 5 to 10 times at all. With AVX2 alone, they are about as much
/// faster.
std::int64_t widest_served(at::ScalarType type) {
  switch (type) {
    case at::kFloat:
      return 32;
    case at::kBFloat16:
    case at::kHalf:
      return kWidestHead;
    default:
      return 0;
  }
}

/// Of the shape of q, in memory [N, L, heads, D]: what follows joins the heads without a copy.
at::Tensor empty_like_heads(const at::Tensor& q) {
  return at::empty({q.size(0), q.size(2), q.size(1), q.size(3)}, q.options()).transpose(1, 2);
}

at::Tensor with_dense_rows(const at::Tensor& x) { return x.stride(3) == 1 ? x : x.contiguous(); }

class Attention : public torch::autograd::Function<Attention> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& q_in,
                            const at::Tensor& k_in, const at::Tensor& v_in, double scale) {
    const at::Tensor q = with_dense_rows(q_in), k = with_dense_rows(k_in),
                     v = with_dense_rows(v_in);
    const at::Tensor out = empty_like_heads(q);
    const at::Tensor log_sums =
        at::empty({q.size(0), q.size(1), q.size(2)}, q.options().dtype(at::kFloat));
    attention_forward({q, k, v, scale}, out, log_sums);
    context->save_for_backward({q, k, v, out, log_sums});
    context->saved_data["scale"] = scale;
    return out;
  }

  static variable_list backward(AutogradContext* context, const variable_list& grad_outputs) {
    refuse_second_derivative("attention", "at::scaled_dot_product_attention");
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &q = saved[0], &k = saved[1], &v = saved[2];
    const at::Tensor grad_out = with_dense_rows(grad_outputs[0].to(q.scalar_type()));
    const at::Tensor grad_q = empty_like_heads(q), grad_k = empty_like_heads(q),
                     grad_v = empty_like_heads(q);
    attention_backward({q, k, v, context->saved_data["scale"].toDouble()}, saved[3], saved[4],
                       grad_out, {grad_q, grad_k, grad_v});
    return {grad_q, grad_k, grad_v, at::Tensor()};
  }
};

}  // namespace

bool uses_own_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
  return q.device().is_cpu() && q.dim() == 4 && q.numel() > 0 &&
         q.size(3) <= widest_served(q.scalar_type()) && k.sizes() == q.sizes() &&
         v.sizes() == q.sizes() && k.scalar_type() == q.scalar_type() &&
         v.scalar_type() == q.scalar_type();
}

at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                     std::optional<double> scale) {
  if (!uses_own_attention(q, k, v)) {
    return at::scaled_dot_product_attention(q, k, v, {}, 0.0, false, scale);
  }
  RECORD_FUNCTION("effuse::attention", std::vector<c10::IValue>({q, k, v}));
  return Attention::apply(q, k, v, scale.value_or(1.0 / std::sqrt(static_cast<double>(q.size(3)))));
}

}  // namespace effuse
