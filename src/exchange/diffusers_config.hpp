#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "config/config.hpp"

namespace effuse {

/// unet/config.json of a UNet2DModel, and back. Every key that changes the network is considered:
/// throws ConfigError naming `where` and the key whose value Effuse's unet2d does not have.
/// num_class_embeds becomes that of a model without a null class.
ModelConfig model_from_diffusers(const nlohmann::ordered_json& json, const std::string& where);
nlohmann::ordered_json model_to_diffusers(const ModelConfig& model);

}  // namespace effuse
