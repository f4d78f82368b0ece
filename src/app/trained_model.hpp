#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "comm/communicator.hpp"
#include "config/config.hpp"

namespace effuse {

class Network;

/// What a checkpoint, or what effuse-convert wrote or reads, says of its model.
struct TrainedModelDescription {
  ModelConfig model;
  DiffusionConfig diffusion;
  std::vector<std::string> class_names;  ///< empty: unconditional
  std::int64_t step = 0;
  std::string sha256;  ///< of the weights' file
  /// Of the data set trained on, where the weights say it; with load_trained_model() at rank 0.
  std::string dataset_folder, dataset_fingerprint;
};

struct TrainedModel : TrainedModelDescription {
  std::shared_ptr<Network> network;
};

/// Collective. The network of sampling.weights with the weights of sampling.weights_kind. Rank 0
/// reads and verifies, and says which damaged checkpoints were passed over; the others receive.
TrainedModel load_trained_model(Communicator& comm, const SamplingConfig& sampling,
                                at::Device device);

/// The same for one process and without building the network. Throws Error.
TrainedModelDescription describe_trained_model(const SamplingConfig& sampling);

}  // namespace effuse
