#include "training/gradient_hook.hpp"

#include <torch/csrc/autograd/function_hook.h>
#include <torch/csrc/autograd/variable.h>

#include <memory>
#include <utility>

namespace effuse {
namespace {

class Adapter final : public torch::autograd::PostAccumulateGradHook {
 public:
  explicit Adapter(GradientHook hook) : hook_(std::move(hook)) {}
  void operator()(const at::Tensor& parameter) override { hook_(parameter); }

 private:
  GradientHook hook_;
};

}  // namespace

void set_gradient_hook(const at::Tensor& parameter, GradientHook hook) {
  torch::autograd::impl::set_post_acc_grad_hooks(
      parameter, hook ? std::make_unique<Adapter>(std::move(hook)) : nullptr);
}

}  // namespace effuse
