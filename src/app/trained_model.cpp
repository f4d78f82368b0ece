#include "app/trained_model.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "comm/agreement.hpp"
#include "core/error.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "exchange/model_file.hpp"
#include "models/factory.hpp"
#include "models/network.hpp"
#include "models/weights.hpp"

namespace effuse {
namespace {

TrainedModelDescription describe(const ModelFile& file) {
  return {file.model,  file.diffusion,      file.class_names,        file.step,
          file.sha256, file.dataset_folder, file.dataset_fingerprint};
}

ModelFile load(const SamplingConfig& sampling) {
  if (sampling.weights.empty()) {
    throw ConfigError("sampling.weights is not set. Give --weights RUN_FOLDER.");
  }
  const WeightsFormat format = detect_format(sampling.weights);
  if (format == WeightsFormat::iddm) {
    throw ConfigError(cat(sampling.weights,
                          " is a file of torch.save, which does not say its noise schedule. "
                          "Convert it first: effuse-convert --input ",
                          sampling.weights, " --output imported"));
  }
  ReadOptions options;
  options.kind = weights_kind_from(sampling.weights_kind);
  ModelFile file = read_model(sampling.weights, format, options);
  for (const std::string& warning : file.warnings) log::warning(warning);
  return file;
}

/// The other ranks' description, from rank 0's.
TrainedModelDescription share(Communicator& comm, const ModelFile& loaded) {
  const std::string text =
      comm.broadcast_text(comm.rank() == 0 ? to_json(state_of(loaded)) : "", 0);
  ModelFile file;
  apply_state(file, run_state_from_json(text, "what rank 0 read"), "what rank 0 read");
  file.sha256 = comm.broadcast_text(loaded.sha256, 0);
  return describe(file);
}

}  // namespace

TrainedModelDescription describe_trained_model(const SamplingConfig& sampling) {
  return describe(load(sampling));
}

TrainedModel load_trained_model(Communicator& comm, const SamplingConfig& sampling,
                                at::Device device) {
  ModelFile loaded;
  agree(comm, [&] {
    if (comm.rank() == 0) loaded = load(sampling);
  });
  TrainedModel model{share(comm, loaded), nullptr};
  model.dataset_folder = loaded.dataset_folder;
  model.dataset_fingerprint = loaded.dataset_fingerprint;
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
