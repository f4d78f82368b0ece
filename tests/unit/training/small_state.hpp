#pragma once

#include <ATen/ATen.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/linear.h>

#include <algorithm>
#include <string>

#include "checkpoint/checkpoint_folder.hpp"
#include "training/flat_state.hpp"
#include "training/optimiser.hpp"

namespace effuse {

/// Two layers, one weight of which is frozen, with the moments of AdamW; every number is `value`
/// after fill().
struct SmallState {
  SmallState() : network(torch::nn::Linear(3, 5), torch::nn::Linear(5, 2)) {
    network->parameters()[0].set_requires_grad(false);
    state.emplace(*network, moments_of({.name = "adamw"}));
    fill(0.0);
  }

  void fill(double value) {
    const at::NoGradGuard no_grad;
    for (const at::Tensor& tensor : state->everything()) at::Tensor(tensor).fill_(value);
  }

  torch::nn::Sequential network;
  std::optional<FlatState> state;
};

inline RunState run_state_of(std::int64_t step) {
  RunState state;
  state.step = step;
  return state;
}

/// Whether every number of a checkpoint is `value`, and all tensors of SmallState are there.
inline bool holds(const CheckpointContents& contents, double value) {
  const auto all = [value](const NamedTensors& tensors) {
    return std::ranges::all_of(tensors, [value](const auto& named) {
      return at::equal(named.second, at::full_like(named.second, value));
    });
  };
  return contents.model.size() == 4 && contents.ema.size() == 4 && contents.optimizer.size() == 6 &&
         all(contents.model) && all(contents.ema) && all(contents.optimizer);
}

}  // namespace effuse
