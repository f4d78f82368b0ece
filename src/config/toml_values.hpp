#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace effuse {

/// The keys of a TOML text, "section.key", in its order, with their values as text: texts in
/// quotes, numbers in their shortest form. For reading what any release wrote: no key, type or
/// range is checked. Throws ConfigError "NAME:LINE:COLUMN: …" for bad syntax.
std::vector<std::pair<std::string, std::string>> toml_values(std::string_view text,
                                                             const std::string& name);

}  // namespace effuse
