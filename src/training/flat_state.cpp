#include "training/flat_state.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/nn/module.h>

#include <algorithm>

#include "core/error.hpp"
#include "models/weights.hpp"

namespace effuse {
namespace {

/// Each tensor begins on a cache line, as oneDNN and vectorised loops like it.
constexpr std::int64_t kAlignment = 16;

std::int64_t aligned(std::int64_t count) {
  return (count + kAlignment - 1) / kAlignment * kAlignment;
}

}  // namespace

/// Returns the size of the buffers.
std::int64_t FlatState::make_slots(const torch::nn::Module& network) {
  const auto parameters = network.named_parameters();
  std::int64_t size = 0;
  for (const auto& [name, weight] : named_weights(network)) {
    const at::Tensor* const parameter = parameters.find(name);
    if (parameter != nullptr && parameter->requires_grad()) {
      slots_.push_back({name, *parameter, size});
      size += aligned(weight.numel());
    } else {
      slots_.push_back({name, weight});
    }
  }
  if (size == 0) {
    throw ConfigError(
        "the network of model.name has no parameter that requires gradients (there is nothing to "
        "train). Choose another network.");
  }
  return size;
}

FlatState::FlatState(torch::nn::Module& network, std::vector<std::string> moments)
    : moment_names_(std::move(moments)) {
  const std::int64_t size = make_slots(network);
  const at::NoGradGuard no_grad;
  const at::Tensor& first = std::ranges::find_if(slots_, &Slot::trained)->tensor;
  const auto type = first.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  const auto options = first.options().dtype(type).requires_grad(false);
  parameters_ = at::zeros({size}, options);
  reduced_ = at::zeros({size + kRiders}, options);
  gradients_ = reduced_.narrow(0, 0, size);
  riders_ = reduced_.narrow(0, size, kRiders);
  for (std::size_t i = 0; i < moment_names_.size(); ++i) {
    moments_.push_back(at::zeros({size}, options));
  }
  for (Slot& slot : slots_) {
    if (!slot.trained()) continue;
    const at::Tensor home = view(parameters_, slot);
    home.copy_(slot.tensor);
    slot.tensor.set_data(home);
  }
  average_ = parameters_.clone();
}

at::Tensor FlatState::view(const at::Tensor& buffer, const Slot& slot) const {
  return buffer.narrow(0, slot.offset, slot.tensor.numel()).view(slot.tensor.sizes());
}

void FlatState::clear_gradients() {
  reduced_.zero_();
  for (Slot& slot : slots_) {
    if (!slot.trained() || slot.tensor.grad().defined()) continue;
    slot.tensor.mutable_grad() = view(gradients_, slot);
  }
}

std::vector<at::Tensor> FlatState::everything() const {
  std::vector<at::Tensor> all = {parameters_, average_};
  all.insert(all.end(), moments_.begin(), moments_.end());
  for (const auto& [name, tensor] : named_untrained()) all.push_back(tensor);
  return all;
}

FlatState::NamedTensors FlatState::weights(const at::Tensor& buffer) const {
  NamedTensors named;
  for (const Slot& slot : slots_) {
    named.emplace_back(slot.name, slot.trained() ? view(buffer, slot) : slot.tensor);
  }
  return named;
}

FlatState::NamedTensors FlatState::named_parameters() const { return weights(parameters_); }
FlatState::NamedTensors FlatState::named_average() const { return weights(average_); }

FlatState::NamedTensors FlatState::named_moments() const {
  NamedTensors named;
  for (std::size_t i = 0; i < moments_.size(); ++i) {
    for (const Slot& slot : slots_) {
      if (!slot.trained()) continue;
      named.emplace_back(moment_names_[i] + "." + slot.name, view(moments_[i], slot));
    }
  }
  return named;
}

FlatState::NamedTensors FlatState::named_untrained() const {
  NamedTensors named;
  for (const Slot& slot : slots_) {
    if (!slot.trained()) named.emplace_back(slot.name, slot.tensor);
  }
  return named;
}

AveragedWeights::AveragedWeights(FlatState& state)
    : state_(state), kept_(state.parameters().clone()) {
  const at::NoGradGuard no_grad;
  at::Tensor(state_.parameters()).copy_(state_.average());
}

AveragedWeights::~AveragedWeights() {
  const at::NoGradGuard no_grad;
  at::Tensor(state_.parameters()).copy_(kept_);
}

}  // namespace effuse
