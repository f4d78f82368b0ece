#include "training/flat_state.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/nn/module.h>

namespace effuse {
namespace {

/// Each tensor begins on a cache line, as oneDNN and vectorised loops like it.
constexpr std::int64_t kAlignment = 16;

std::int64_t aligned(std::int64_t count) {
  return (count + kAlignment - 1) / kAlignment * kAlignment;
}

}  // namespace

FlatState::FlatState(torch::nn::Module& network) {
  std::int64_t size = 0;
  for (const auto& item : network.named_parameters()) {
    const at::Tensor& tensor = item.value();
    if (!tensor.requires_grad()) continue;
    slots_.push_back({item.key(), tensor.sizes().vec(), size, tensor.numel()});
    tensors_.push_back(tensor);
    size += aligned(tensor.numel());
  }
  const at::NoGradGuard no_grad;
  const auto options = tensors_.at(0).options().dtype(at::kFloat).requires_grad(false);
  parameters_ = at::zeros({size}, options);
  reduced_ = at::zeros({size + kRiders}, options);
  gradients_ = reduced_.narrow(0, 0, size);
  riders_ = reduced_.narrow(0, size, kRiders);
  first_moment_ = at::zeros({size}, options);
  second_moment_ = at::zeros({size}, options);
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    const at::Tensor home = view(parameters_, slots_[i]);
    home.copy_(tensors_[i]);
    tensors_[i].set_data(home);
  }
  average_ = parameters_.clone();
}

at::Tensor FlatState::view(const at::Tensor& buffer, const Slot& slot) const {
  return buffer.narrow(0, slot.offset, slot.count).view(slot.shape);
}

void FlatState::clear_gradients() {
  reduced_.zero_();
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (!tensors_[i].grad().defined()) tensors_[i].mutable_grad() = view(gradients_, slots_[i]);
  }
}

FlatState::NamedTensors FlatState::views(const at::Tensor& buffer,
                                         const std::string& prefix) const {
  NamedTensors named;
  for (const Slot& slot : slots_) named.emplace_back(prefix + slot.name, view(buffer, slot));
  return named;
}

FlatState::NamedTensors FlatState::named_parameters() const { return views(parameters_, ""); }
FlatState::NamedTensors FlatState::named_average() const { return views(average_, ""); }

FlatState::NamedTensors FlatState::named_moments() const {
  NamedTensors named = views(first_moment_, "exp_avg.");
  const NamedTensors second = views(second_moment_, "exp_avg_sq.");
  named.insert(named.end(), second.begin(), second.end());
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
