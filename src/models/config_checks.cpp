#include "models/config_checks.hpp"

#include "core/error.hpp"
#include "core/text.hpp"

namespace effuse {

void check_resolved(const ModelConfig& config) {
  if (config.in_channels < 1) {
    throw ConfigError(cat("model.in_channels is ", config.in_channels,
                          ", so the network is not determined; give the channels of the images"));
  }
  if (config.sample_size < 1) {
    throw ConfigError(cat("model.sample_size is ", config.sample_size,
                          ", so the network is not determined; give the size of the images"));
  }
  if (config.num_class_embeds < 0) {
    throw ConfigError(cat("model.num_class_embeds is ", config.num_class_embeds,
                          ", so the network is not determined; give the classes and one null "
                          "class, or 0 for an unconditional network"));
  }
}

}  // namespace effuse
