#pragma once

#include <cstdint>
#include <iomanip>
#include <sstream>
#include <string>
#include <utility>

namespace effuse {

/// `number` (not negative) with zeros in front to at least `width` digits, as in names that are to
/// sort by number: zero_padded(7, 4) is "0007".
inline std::string zero_padded(std::int64_t number, int width) {
  std::ostringstream out;
  out << std::setw(width) << std::setfill('0') << number;
  return std::move(out).str();
}

}  // namespace effuse
