#include "training/flat_state.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/nn/module.h>

#include <map>

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

FlatState::FlatState(torch::nn::Module& network, std::vector<std::string> moments,
                     FlatLayout layout)
    : layout_(std::move(layout)), moment_names_(std::move(moments)) {
  make_places(network);
  make_slots(network);
  const at::NoGradGuard no_grad;
  make_buffers();
  move_weights();
}

void FlatState::make_places(const torch::nn::Module& network) {
  const auto parameters = network.named_parameters();
  std::vector<std::string> order = layout_.order;
  if (order.empty()) {
    for (const auto& item : parameters) {
      if (item.value().requires_grad()) order.push_back(item.key());
    }
  }
  if (order.empty()) {
    throw ConfigError(
        "the network of model.name has no parameter that requires gradients (there is nothing to "
        "train). Choose another network.");
  }
  std::int64_t offset = 0;
  for (const std::string& name : order) {
    const at::Tensor& tensor = parameters[name];
    const std::int64_t end = offset + aligned(tensor.numel());
    places_.push_back({name, tensor, offset, end});
    offset = end;
  }
}

void FlatState::make_slots(const torch::nn::Module& network) {
  std::map<std::string, std::int64_t> place_of;
  for (const Place& place : places_) {
    place_of.emplace(place.name, static_cast<std::int64_t>(place_of.size()));
  }
  for (const auto& [name, weight] : named_weights(network)) {
    const auto found = place_of.find(name);
    slots_.push_back({name, weight, found == place_of.end() ? -1 : found->second});
  }
}

void FlatState::make_buffers() {
  const at::Tensor& first = places_.front().tensor;
  const auto type = first.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  const auto options = first.options().dtype(type).requires_grad(false);
  const std::int64_t size = places_.back().end;
  parameters_ = at::zeros({size}, options);
  gradients_ = at::zeros({size}, options);
  for (std::size_t i = 0; i < moment_names_.size(); ++i) {
    moments_.push_back(at::zeros({size}, options));
  }
  const bool copies = layout_.network_type == at::kBFloat16 || layout_.network_type == at::kHalf;
  if (copies) copy_ = at::zeros({size}, options.dtype(layout_.network_type));
}

void FlatState::move_weights() {
  for (const Place& place : places_) view(parameters_, place).copy_(place.tensor);
  publish();
  for (Place& place : places_) place.tensor.set_data(view(network_parameters(), place));
  average_ = parameters_.clone();
}

const at::Tensor& FlatState::network_parameters() const {
  return copy_.defined() ? copy_ : parameters_;
}

void FlatState::publish() {
  const at::NoGradGuard no_grad;
  if (copy_.defined()) copy_.copy_(parameters_);
}

at::Tensor FlatState::view(const at::Tensor& buffer, const Place& place) const {
  const auto sizes = place.tensor.sizes();
  const at::Tensor part = buffer.narrow(0, place.offset, place.tensor.numel());
  if (!layout_.channels_last || sizes.size() != 4) return part.view(sizes);
  return part.view({sizes[0], sizes[2], sizes[3], sizes[1]}).permute({0, 3, 1, 2});
}

at::Tensor FlatState::view(const at::Tensor& buffer, const Slot& slot) const {
  return view(buffer, places_[static_cast<std::size_t>(slot.place)]);
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

AveragedWeights::AveragedWeights(FlatState& state) : state_(state) {
  const at::NoGradGuard no_grad;
  const at::Tensor& used = state.network_parameters();
  if (used.is_same(state.parameters())) kept_ = used.clone();
  at::Tensor(used).copy_(state.average());
}

AveragedWeights::~AveragedWeights() {
  const at::NoGradGuard no_grad;
  if (kept_.defined()) {
    at::Tensor(state_.parameters()).copy_(kept_);
  } else {
    state_.publish();
  }
}

}  // namespace effuse
