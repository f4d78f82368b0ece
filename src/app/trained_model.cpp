#include "app/trained_model.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "checkpoint/load_weights.hpp"
#include "comm/agreement.hpp"
#include "config/toml_reader.hpp"
#include "core/error.hpp"
#include "core/log.hpp"
#include "models/factory.hpp"
#include "models/network.hpp"
#include "models/weights.hpp"

namespace effuse {
namespace {

TrainedModelDescription describe(const RunState& state, const std::string& sha256) {
  Config config;
  read_toml_text(config, state.config_toml, "the checkpoint's configuration");
  return {config.model, config.diffusion, state.class_names, state.step, sha256};
}

LoadedWeights load(const SamplingConfig& sampling) {
  if (sampling.weights.empty()) {
    throw ConfigError("sampling.weights is not set. Give --weights RUN_FOLDER.");
  }
  LoadedWeights loaded = load_weights(sampling.weights, weights_kind_from(sampling.weights_kind));
  for (const std::string& damage : loaded.damaged) {
    log::warning(damage, ". Using the checkpoint of step ", loaded.state.step, " instead.");
  }
  return loaded;
}

}  // namespace

TrainedModelDescription describe_trained_model(const SamplingConfig& sampling) {
  const LoadedWeights loaded = load(sampling);
  return describe(loaded.state, loaded.sha256);
}

TrainedModel load_trained_model(Communicator& comm, const SamplingConfig& sampling,
                                at::Device device) {
  LoadedWeights loaded;
  agree(comm, [&] {
    if (comm.rank() == 0) loaded = load(sampling);
  });
  const RunState state =
      run_state_from_json(comm.broadcast_text(to_json(loaded.state), 0), "the checkpoint");
  TrainedModel model{describe(state, comm.broadcast_text(loaded.sha256, 0)), nullptr};
  agree(comm, [&] {
    model.network = make_network(model.model);
    if (comm.rank() == 0) load_weights(*model.network, loaded.tensors);
  });
  model.network->to(device);
  const at::NoGradGuard no_grad;
  for (const auto& [name, tensor] : named_weights(*model.network)) comm.broadcast(tensor, 0);
  return model;
}

}  // namespace effuse
