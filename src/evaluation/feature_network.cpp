#include "evaluation/feature_network.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "core/text.hpp"
#include "evaluation/inception.hpp"
#include "evaluation/torchscript_network.hpp"

namespace effuse {

std::string describe(const FeatureOrigin& origin) {
  return cat(origin.network, " ", origin.sha256.substr(0, 12),
             origin.convention.empty() ? "" : cat(", convention ", origin.convention));
}

namespace {

std::unique_ptr<FeatureNetwork> load_feature_network(const EvaluationConfig& config,
                                                     at::Device device) {
  if (!config.network.empty() && !config.weights.empty()) {
    throw ConfigError(
        "evaluation.network and evaluation.weights both name a network. Give one of them.");
  }
  if (!config.network.empty()) return load_torchscript_network(config.network, device);
  if (config.weights.empty()) {
    throw ConfigError(
        "no feature network is set. Set evaluation.weights to the file "
        "pt_inception-2015-12-05-6726825d.pth (docs/evaluation.md says where it is to be had), or "
        "evaluation.network to one of TorchScript.");
  }
  const auto unknown = config.allow_unknown_weights ? InceptionNetwork::UnknownWeights::allow
                                                    : InceptionNetwork::UnknownWeights::refuse;
  return std::make_unique<InceptionNetwork>(config.weights, unknown,
                                            input_convention_named(config.convention), device);
}

}  // namespace

std::unique_ptr<FeatureNetwork> make_feature_network(const EvaluationConfig& config,
                                                     at::Device device) {
  auto network = load_feature_network(config, device);
  const bool wants_classes = std::ranges::find(config.metrics, "is") != config.metrics.end();
  if (network->classifies() || !wants_classes) return network;
  throw ConfigError(
      "evaluation.metrics: is needs a network that classifies, and evaluation.network gives "
      "features alone. Leave is out, or set evaluation.weights, the Inception network's, instead.");
}

}  // namespace effuse
