#pragma once

#include <cstdint>
#include <span>
#include <sstream>
#include <string>
#include <string_view>

namespace effuse {

/// The arguments written one after the other, as operator<< writes them.
template <class... Parts>
std::string cat(const Parts&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return std::move(out).str();
}

/// `value` with exactly `digits` decimals.
std::string fixed(double value, int digits);

/// The shortest form that reads back as the same number: "600", "0.0001", "1e-08".
std::string shortest(double value);

/// "1.5 GiB": binary prefixes, one decimal.
std::string human_bytes(std::uint64_t bytes);

/// "45 s", "3 min 20 s", "2 h 5 min".
std::string human_seconds(double seconds);

/// "60,000".
std::string human_count(std::uint64_t count);

/// The candidate with the smallest edit distance to `word`, or "" where none is close enough to be
/// meant (more than a third of the letters, and at least two, would have to change).
std::string nearest_name(std::string_view word, std::span<const std::string> candidates);

}  // namespace effuse
