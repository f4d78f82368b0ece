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

/// Writes down the names of parameters as their gradients come, which it takes away; without
/// dropout, which would ask for positions. Leaves the network as it was.
class Observation {
 public:
  explicit Observation(Network& network) : network_(network), was_training_(network.is_training()) {
    network.eval();
    for (const auto& item : network.named_parameters()) {
      if (!item.value().requires_grad()) continue;
      observed_.push_back(item.value());
      set_gradient_hook(item.value(), [this, name = item.key()](const at::Tensor& parameter) {
        names_.push_back(name);
        parameter.mutable_grad() = at::Tensor();
      });
    }
  }
  ~Observation() {
    for (const at::Tensor& parameter : observed_) set_gradient_hook(parameter, nullptr);
    network_.train(was_training_);
  }
  Observation(const Observation&) = delete;
  Observation& operator=(const Observation&) = delete;

  const std::vector<std::string>& names() const { return names_; }

 private:
  Network& network_;
  bool was_training_;
  std::vector<at::Tensor> observed_;
  std::vector<std::string> names_;
};

}  // namespace

std::vector<std::string> gradient_order(Network& network) {
  const Observation observation(network);
  one_pass(network, network.parameters().front().detach());
  return observation.names();
}

}  // namespace effuse
