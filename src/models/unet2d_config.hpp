#pragma once

#include "config/config.hpp"

namespace effuse {

/// Throws ConfigError, naming the key, for a unet2d that cannot be built: lists of different
/// lengths, channels that the groups or heads do not divide, a sample size that cannot be halved
/// often enough, unknown block types, unresolved placeholders.
void check_unet2d(const ModelConfig& config);

}  // namespace effuse
