#pragma once

#include <string>

#include "core/index_range.hpp"

namespace effuse {

/// Reads "FIRST-LAST", as sampling.seeds gives it. Throws ConfigError naming the key.
IndexRange parse_image_range(const std::string& text);

/// "FIRST-LAST" again.
std::string to_text(const IndexRange& range);

}  // namespace effuse
