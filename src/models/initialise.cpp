#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/embedding.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/normalization.h>

#include <cmath>
#include <map>
#include <span>

#include "core/error.hpp"
#include "core/random.hpp"
#include "core/text.hpp"
#include "models/iddm_attention.hpp"
#include "models/network.hpp"
#include "models/weights.hpp"

namespace effuse {
namespace {

/// Draws for the tensors of one module; `numbers` maps storage to the tensor's number.
class Initialiser {
 public:
  Initialiser(std::uint64_t seed, const NamedTensors& weights) : seed_(seed) {
    for (std::size_t i = 0; i < weights.size(); ++i) {
      numbers_[weights[i].second.data_ptr()] = i;
    }
  }

  /// U(-bound, bound).
  void uniform(const at::Tensor& tensor, float bound) const {
    draw(tensor, [bound](RandomStream& stream, std::span<float> values) {
      stream.fill_uniform(values, -bound, bound);
    });
  }

  void normal(const at::Tensor& tensor) const {
    draw(tensor, [](RandomStream& stream, std::span<float> values) { stream.fill_normal(values); });
  }

 private:
  template <class Fill>
  void draw(const at::Tensor& tensor, Fill fill) const {
    at::Tensor values = at::empty(tensor.sizes(), at::kFloat);
    RandomStream stream(seed_, Purpose::weights, numbers_.at(tensor.data_ptr()));
    fill(stream, {values.data_ptr<float>(), static_cast<std::size_t>(values.numel())});
    tensor.copy_(values);
  }

  std::uint64_t seed_;
  std::map<const void*, std::uint64_t> numbers_;
};

/// Weight and bias of a convolution or linear layer; a weight is [out, in / groups, kernel …].
template <class Layer>
void initialise_layer(const Layer& layer, const Initialiser& initialiser) {
  const std::int64_t fan_in = layer.weight.numel() / layer.weight.size(0);
  const float bound = 1.0f / std::sqrt(static_cast<float>(fan_in));
  initialiser.uniform(layer.weight, bound);
  if (layer.bias.defined()) initialiser.uniform(layer.bias, bound);
}

/// Xavier (Glorot & Bengio 2010) over the packed projection; no biases, that of the output
/// included.
void initialise_attention(const PackedAttention& attention, const Initialiser& initialiser) {
  const at::Tensor& packed = attention.in_proj_weight();
  const auto fans = static_cast<float>(packed.size(0) + packed.size(1));
  initialiser.uniform(packed, std::sqrt(6.0f / fans));
  attention.in_proj_bias().zero_();
  attention.out_proj_bias().zero_();
}

void initialise_module(torch::nn::Module& module, const Initialiser& initialiser) {
  if (const auto* conv = module.as<torch::nn::Conv2d>()) {
    initialise_layer(*conv, initialiser);
  } else if (const auto* linear = module.as<torch::nn::Linear>()) {
    initialise_layer(*linear, initialiser);
  } else if (const auto* embedding = module.as<torch::nn::Embedding>()) {
    initialiser.normal(embedding->weight);
  } else if (auto* norm = module.as<torch::nn::GroupNorm>()) {
    norm->reset_parameters();
  } else if (auto* layer_norm = module.as<torch::nn::LayerNorm>()) {
    layer_norm->reset_parameters();
  } else if (const auto* attention = module.as<PackedAttention>()) {
    initialise_attention(*attention, initialiser);
  } else if (!module.named_parameters(/*recurse=*/false).is_empty()) {
    throw Error(cat("no rule initialises the parameters of a ", module.name(),
                    " (weights must not depend on torch's own generator); add one"));
  }
}

}  // namespace

void initialise_weights(Network& network, std::uint64_t seed) {
  const at::NoGradGuard no_grad;
  const Initialiser initialiser(seed, named_weights(network));
  const auto modules = network.modules();
  // Children before their parents, which may overrule them.
  for (auto module = modules.rbegin(); module != modules.rend(); ++module) {
    initialise_module(**module, initialiser);
  }
}

}  // namespace effuse
