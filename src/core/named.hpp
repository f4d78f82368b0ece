#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace effuse {

/// Where `name` stands among `names`, for a setting that chooses by name. Throws ConfigError
/// naming the setting's key and the nearest name.
std::size_t place_of(std::string_view name, std::span<const std::string> names,
                     std::string_view key);

}  // namespace effuse
