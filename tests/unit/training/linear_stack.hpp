#pragma once

#include <ATen/ATen.h>
#include <torch/nn/modules/linear.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "models/network.hpp"

namespace effuse {

/// A network that computes in microseconds: the image's numbers through linear layers "0", "1" …,
/// of which those between the first and the last can be left out. It has a parameter more,
/// "spare", that it never uses.
class LinearStack : public Network {
 public:
  static constexpr std::int64_t kWidth = 64;

  /// Weights by `seed`: equal ones make equal networks.
  explicit LinearStack(std::uint64_t seed, std::size_t layers = 4,
                       const NetworkTraits& traits = {.channels = 1, .sample_size = 2})
      : Network(traits) {
    at::manual_seed(seed);
    const std::int64_t numbers = traits.channels * traits.sample_size * traits.sample_size;
    for (std::size_t i = 0; i < layers; ++i) {
      layers_.push_back(register_module(
          std::to_string(i),
          torch::nn::Linear(i == 0 ? numbers : kWidth, i + 1 == layers ? numbers : kWidth)));
    }
    register_parameter("spare", at::ones({3}));
  }

  at::Tensor forward(const at::Tensor& x, const at::Tensor&, const at::Tensor&) override {
    at::Tensor hidden = layers_.front()(x.flatten(1));
    if (at_first_layer && hidden.requires_grad()) {
      hidden.register_hook([this](const at::Tensor&) { at_first_layer(); });
    }
    for (std::size_t i = 1; i < layers_.size(); ++i) {
      if (left_out != i) hidden = layers_[i](at::tanh(hidden));
    }
    return hidden.view(x.sizes());
  }

  /// Called when a backward pass has come to the first layer.
  std::function<void()> at_first_layer;

  std::optional<std::size_t> left_out;

 private:
  std::vector<torch::nn::Linear> layers_;
};

/// Names of what a LinearStack uses, in the order in which its gradients become ready.
inline std::vector<std::string> backward_order(std::size_t layers = 4) {
  std::vector<std::string> names;
  for (std::size_t i = layers; i-- > 0;) {
    names.push_back(std::to_string(i) + ".bias");
    names.push_back(std::to_string(i) + ".weight");
  }
  return names;
}

}  // namespace effuse
