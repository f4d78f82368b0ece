#include "core/number_pair.hpp"

namespace effuse {

std::optional<std::int64_t> plain_number(std::string_view text) {
  constexpr std::size_t kMostDigits = 15;
  if (text.empty() || text.size() > kMostDigits) return std::nullopt;
  std::int64_t number = 0;
  for (const char digit : text) {
    if (digit < '0' || digit > '9') return std::nullopt;
    number = 10 * number + (digit - '0');
  }
  return number;
}

std::optional<std::pair<std::int64_t, std::int64_t>> number_pair(std::string_view text,
                                                                 char separator) {
  const std::size_t place = text.find(separator);
  if (place == std::string_view::npos) return std::nullopt;
  const auto first = plain_number(text.substr(0, place));
  const auto second = plain_number(text.substr(place + 1));
  if (!first || !second) return std::nullopt;
  return std::pair(*first, *second);
}

}  // namespace effuse
