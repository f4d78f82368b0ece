#pragma once

#include <cstdint>

#include "config/config.hpp"

namespace effuse {

struct ImageSize {
  std::int64_t height = 0, width = 0;  ///< in pixels
};

/// sampling.size: "SIDE", "WIDTHxHEIGHT", or empty for the size trained on. Throws ConfigError with
/// the nearest sizes where the network cannot make images of it.
ImageSize image_size(const SamplingConfig& sampling, const ModelConfig& model);

}  // namespace effuse
