#pragma once

#include <string>
#include <vector>

#include "config/config.hpp"

namespace effuse {

/// The resolved configuration as a commented TOML file that reads back as the same. `sections`
/// limits it to those; empty: all.
std::string to_toml(const Config& config, const std::vector<std::string>& sections = {});

}  // namespace effuse
