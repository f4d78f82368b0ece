#pragma once

#include "config/config.hpp"

namespace effuse {

/// Throws ConfigError, naming the key, where sample_size, in_channels or num_class_embeds still
/// holds the placeholder that stands for "as the data set has it".
void check_resolved(const ModelConfig& config);

}  // namespace effuse
