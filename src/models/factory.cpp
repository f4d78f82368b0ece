#include "models/factory.hpp"

#include <array>
#include <string>

#include "core/error.hpp"
#include "core/text.hpp"
#include "models/unet2d.hpp"

namespace effuse {

std::shared_ptr<Network> make_network(const ModelConfig& config) {
  if (config.name == "unet2d") return std::make_shared<UNet2D>(config);
  static const std::array<std::string, 1> known = {"unet2d"};
  const std::string nearest = nearest_name(config.name, known);
  throw ConfigError(
      cat("model.name is \"", config.name, "\", which is no known network",
          nearest.empty() ? "; there is \"unet2d\"" : cat("; did you mean \"", nearest, "\"?")));
}

std::int64_t count_parameters(const Network& network) {
  std::int64_t count = 0;
  for (const at::Tensor& parameter : network.parameters()) count += parameter.numel();
  return count;
}

}  // namespace effuse
