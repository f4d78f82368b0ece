#include "models/factory.hpp"

#include <array>
#include <string>

#include "core/error.hpp"
#include "core/text.hpp"
#include "models/cspdarkunet.hpp"
#include "models/unet.hpp"
#include "models/unet2d.hpp"

namespace effuse {

namespace {

[[noreturn]] void throw_unknown(const std::string& name) {
  static const std::array<std::string, 3> known = {"unet2d", "unet", "cspdarkunet"};
  const std::string nearest = nearest_name(name, known);
  throw ConfigError(cat("model.name is \"", name, "\", which is no known network",
                        nearest.empty() ? "; there are \"unet2d\", \"unet\" and \"cspdarkunet\""
                                        : cat("; did you mean \"", nearest, "\"?")));
}

}  // namespace

std::shared_ptr<Network> make_network(const ModelConfig& config) {
  if (config.name == "unet2d") return std::make_shared<UNet2D>(config);
  if (config.name == "unet") return std::make_shared<UNet>(config);
  if (config.name == "cspdarkunet") return std::make_shared<CspDarkUNet>(config);
  throw_unknown(config.name);
}

std::int64_t image_size_factor(const ModelConfig& config) {
  if (config.name == "unet") return std::int64_t{1} << (kUNetLevels - 1);
  if (config.name == "cspdarkunet") return std::int64_t{1} << (kCspDarkUNetLevels - 1);
  if (config.name != "unet2d") throw_unknown(config.name);
  return std::int64_t{1} << (config.block_out_channels.size() - 1);
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
