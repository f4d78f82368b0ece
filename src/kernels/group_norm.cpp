#include "kernels/group_norm.hpp"

#include <ATen/ATen.h>
#include <ATen/record_function.h>
#include <torch/csrc/autograd/custom_function.h>

#include "core/error.hpp"
#include "core/text.hpp"
#include "kernels/first_derivative.hpp"
#include "kernels/group_norm_loops.hpp"

namespace effuse {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// Where there is no difference, by planes.
bool by_planes(const at::Tensor& x) { return x.is_contiguous(); }

at::MemoryFormat layout_of(const at::Tensor& x) {
  return by_planes(x) ? at::MemoryFormat::Contiguous : at::MemoryFormat::ChannelsLast;
}

class GroupNorm : public torch::autograd::Function<GroupNorm> {
 public:
  /// weight, bias: fp32, contiguous.
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            const at::Tensor& bias, std::int64_t groups, double eps, bool silu) {
    const auto fp32 = x.options().dtype(at::kFloat);
    const at::Tensor mean = at::empty({x.size(0), groups}, fp32), scale = at::empty_like(mean),
                     out = at::empty_like(x, layout_of(x));
    const auto run = by_planes(x) ? forward_by_planes : forward_by_pixels;
    run({x, weight, bias, groups, silu}, eps, {mean, scale}, out);
    context->save_for_backward({x, weight, bias, mean, scale});
    context->saved_data["groups"] = groups;
    context->saved_data["silu"] = silu;
    return out;
  }

  static variable_list backward(AutogradContext* context, const variable_list& grad_outputs) {
    refuse_second_derivative("group normalisation", "at::group_norm");
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &weight = saved[1];
    const at::Tensor grad_out = grad_outputs[0].to(x.scalar_type()).contiguous(layout_of(x));
    const at::Tensor grad_x = at::empty_like(x, layout_of(x)),
                     grad_weight = at::empty({x.size(0), x.size(1)}, weight.options()),
                     grad_bias = at::empty_like(grad_weight);
    const auto run = by_planes(x) ? backward_by_planes : backward_by_pixels;
    run({x, weight, saved[2], context->saved_data["groups"].toInt(),
         context->saved_data["silu"].toBool()},
        {saved[3], saved[4]}, grad_out, {grad_x, grad_weight, grad_bias});
    const auto of_weights = [&](const at::Tensor& g) { return weight.dim() == 1 ? g.sum(0) : g; };
    return {grad_x,      of_weights(grad_weight), of_weights(grad_bias), at::Tensor(), at::Tensor(),
            at::Tensor()};
  }
};

void check(const at::Tensor& x, const GroupNormArguments& arguments) {
  const at::Tensor& weight = arguments.weight;
  const std::int64_t channels = x.dim() < 2 ? 0 : x.size(1);
  const bool fits =
      channels > 0 && ((weight.dim() == 1 && weight.size(0) == channels) ||
                       (weight.dim() == 2 && weight.sizes() == x.sizes().slice(0, 2)));
  if (!fits || arguments.bias.sizes() != weight.sizes() || arguments.groups < 1 ||
      channels % arguments.groups != 0) {
    throw Error(cat("group normalisation of ", at::str(x.sizes()), " in ", arguments.groups,
                    " groups with weights ", at::str(weight.sizes()), " and biases ",
                    at::str(arguments.bias.sizes())));
  }
}

at::Tensor by_libtorch(const at::Tensor& x, const GroupNormArguments& arguments) {
  const auto& [weight, bias, groups, eps, then] = arguments;
  at::Tensor y;
  if (weight.dim() == 1) {
    y = at::group_norm(x, groups, weight, bias, eps);
  } else {
    std::vector<std::int64_t> sizes(static_cast<std::size_t>(x.dim()), 1);
    sizes[0] = x.size(0);
    sizes[1] = x.size(1);
    y = at::addcmul(bias.view(sizes), at::group_norm(x, groups, {}, {}, eps), weight.view(sizes));
  }
  return then == AfterNorm::silu ? at::silu(y) : y;
}

}  // namespace

bool uses_own_group_norm(const at::Tensor& x) {
  const bool dense = x.is_contiguous() || x.is_contiguous(at::MemoryFormat::ChannelsLast);
  return x.device().is_cpu() && x.dim() >= 2 && x.numel() > 0 && dense &&
         (x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16);
}

at::Tensor group_norm(const at::Tensor& x, const GroupNormArguments& arguments) {
  check(x, arguments);
  if (!uses_own_group_norm(x)) return by_libtorch(x, arguments);
  RECORD_FUNCTION("effuse::group_norm", {});
  return GroupNorm::apply(x, arguments.weight.to(at::kFloat).contiguous(),
                          arguments.bias.to(at::kFloat).contiguous(), arguments.groups,
                          arguments.eps, arguments.then == AfterNorm::silu);
}

}  // namespace effuse
