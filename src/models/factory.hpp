#pragma once

#include <cstdint>
#include <memory>

#include "config/config.hpp"

namespace effuse {

class Network;

/// The network that [model] describes, with weights as torch happens to initialise them: call
/// initialise_weights() or load_weights() next. sample_size, in_channels and num_class_embeds must
/// be resolved. Throws ConfigError, naming the key, for what cannot be built.
std::shared_ptr<Network> make_network(const ModelConfig& config);

/// What height and width of images must be multiples of for that network: each of its levels but
/// the first halves them. Throws ConfigError for a network that is not known.
std::int64_t image_size_factor(const ModelConfig& config);

/// Elements of all parameters.
std::int64_t count_parameters(const Network& network);

/// Elements of those that forward() never uses: kept so that weights load and are saved whole, they
/// do not require gradients and are not trained.
std::int64_t count_unused_parameters(const Network& network);

}  // namespace effuse
