#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "config/config.hpp"

namespace effuse {

/// scheduler/scheduler_config.json of a scheduler of diffusers that steps through betas: what was
/// trained on. Throws ConfigError naming `where` and the key whose value Effuse does not have.
DiffusionConfig diffusion_from_diffusers(const nlohmann::ordered_json& json,
                                         const std::string& where);

/// The same as a DDPMScheduler's. Throws ConfigError where diffusers has no such schedule.
nlohmann::ordered_json diffusion_to_diffusers(const DiffusionConfig& diffusion);

/// What that scheduler does in sampling: a sentence with the settings of effuse-sample that do the
/// same, and one for each thing that none does.
std::vector<std::string> sampling_notes(const nlohmann::ordered_json& json,
                                        const std::string& where);

}  // namespace effuse
