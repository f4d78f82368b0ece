#include "training/gradient_order.hpp"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/variable.h>

#include <utility>

#include "training/gradient_hook.hpp"

namespace effuse {
namespace {

void one_pass(Network& network, const at::Tensor& like) {
  const NetworkTraits& traits = network.traits();
  const at::Tensor x =
      at::zeros({1, traits.channels, traits.sample_size, traits.sample_size}, like.options());
  const at::Tensor t = at::zeros({1}, like.options().dtype(at::kLong));
  const at::Tensor label = network.is_conditional() ? t : at::Tensor();
  network.forward(x, t, label).sum().backward();
}

}  // namespace

std::vector<std::string> gradient_order(Network& network) {
  std::vector<std::string> order;
  const auto parameters = network.named_parameters();
  for (const auto& item : parameters) {
    if (!item.value().requires_grad()) continue;
    set_gradient_hook(item.value(), [&order, name = item.key()](const at::Tensor& parameter) {
      order.push_back(name);
      parameter.mutable_grad() = at::Tensor();
    });
  }
  const bool was_training = network.is_training();
  network.eval();  // no dropout, which would ask for positions
  one_pass(network, parameters.front().value().detach());
  network.train(was_training);
  for (const auto& item : parameters) set_gradient_hook(item.value(), nullptr);
  return order;
}

}  // namespace effuse
