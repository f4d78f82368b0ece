#include "models/factory.hpp"

#include <array>
#include <string>

#include "core/error.hpp"
#include "core/text.hpp"
#include "models/cspdarkunet.hpp"
#include "models/unet.hpp"
#include "models/unet2d.hpp"

namespace effuse {

std::shared_ptr<Network> make_network(const ModelConfig& config) {
  if (config.name == "unet2d") return std::make_shared<UNet2D>(config);
  if (config.name == "unet") return std::make_shared<UNet>(config);
  if (config.name == "cspdarkunet") return std::make_shared<CspDarkUNet>(config);
  static const std::array<std::string, 3> known = {"unet2d", "unet", "cspdarkunet"};
  const std::string nearest = nearest_name(config.name, known);
  throw ConfigError(cat("model.name is \"", config.name, "\", which is no known network",
                        nearest.empty() ? "; there are \"unet2d\", \"unet\" and \"cspdarkunet\""
                                        : cat("; did you mean \"", nearest, "\"?")));
}

std::int64_t count_parameters(const Network& network) {
  std::int64_t count = 0;
  for (const at::Tensor& parameter : network.parameters()) count += parameter.numel();
  return count;
}

std::int64_t count_unused_parameters(const Network& network) {
  std::int64_t count = 0;
  for (const at::Tensor& parameter : network.parameters()) {
    if (!parameter.requires_grad()) count += parameter.numel();
  }
  return count;
}

}  // namespace effuse
