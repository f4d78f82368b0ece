#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace torch::nn {
class Module;
}

namespace effuse {

class Network;

using NamedTensors = std::vector<std::pair<std::string, at::Tensor>>;

/// Parameters and buffers in the order of PyTorch's state_dict: of each module its parameters, then
/// its buffers, then its children, all in the order they were registered. The tensors are detached
/// and share their storage with the module.
NamedTensors named_weights(const torch::nn::Module& module);

/// Copies `weights` into the module, by name, in any order; types and devices are converted. Throws
/// CheckpointError listing every tensor that is missing, unexpected, given twice or of another
/// shape, and then has changed nothing.
void load_weights(torch::nn::Module& module, const NamedTensors& weights);

/// A line for each tensor of the module that is missing from `weights` or has another shape there,
/// each that the module does not have, each given twice; empty where all fit.
std::vector<std::string> find_misfits(const torch::nn::Module& module, const NamedTensors& weights);

/// PyTorch's default distributions: convolutions and linear layers U(-b, b) with b =
/// 1/sqrt(fan_in), weight and bias alike; normalisations 1 and 0; embeddings N(0, 1); packed
/// attention as MultiheadAttention, Xavier-uniform in, biases 0. Drawn by (seed, number of the
/// tensor in named_weights), so that every rank makes the same weights.
void initialise_weights(Network& network, std::uint64_t seed);

}  // namespace effuse
