#pragma once

#include <string>

namespace effuse {

/// `text`, with what is no valid UTF-8 replaced by U+FFFD.
std::string valid_utf8(const std::string& text);

/// `text` for a terminal: valid UTF-8, and control characters but line feed and tab written as
/// \x1b, so that names from files cannot steer it.
std::string printable(const std::string& text);

}  // namespace effuse
