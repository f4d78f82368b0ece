#pragma once

#include <string>

namespace effuse {

/// `text`, with what is no valid UTF-8 replaced by U+FFFD.
std::string valid_utf8(const std::string& text);

}  // namespace effuse
