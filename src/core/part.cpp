#include "core/part.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "core/number_pair.hpp"
#include "core/text.hpp"

namespace effuse {

Part parse_part(const std::string& text, std::string_view key) {
  const auto pair = number_pair(text, '/');
  if (!pair || pair->first < 1 || pair->first > pair->second) {
    throw ConfigError(
        cat(key, " is \"", text, "\"; it must be I/N, the I-th of N parts, I from 1 to N, as 3/8"));
  }
  return {pair->first, pair->second};
}

std::string Part::text() const { return cat(number, "/", of); }

IndexRange range_of_part(std::int64_t count, const Part& part) {
  // Of the quotient and the remainder: count · number may be beyond 64 bits.
  const auto begin_of = [&](std::int64_t index) {
    return count / part.of * index + std::min(count % part.of, index);
  };
  return {begin_of(part.number - 1), begin_of(part.number)};
}

}  // namespace effuse
