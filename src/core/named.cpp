#include "core/named.hpp"

#include "core/error.hpp"
#include "core/text.hpp"

namespace effuse {

std::size_t place_of(std::string_view name, std::span<const std::string> names,
                     std::string_view key) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == name) return i;
  }
  const std::string nearest = nearest_name(name, names);
  throw ConfigError(cat(key, " is \"", name, "\", which is not known",
                        nearest.empty() ? "" : cat("; did you mean \"", nearest, "\"?")));
}

}  // namespace effuse
