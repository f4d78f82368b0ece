#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/index_range.hpp"

namespace effuse {

/// One of the equal parts into which array jobs cut their work.
struct Part {
  std::int64_t number = 1;  ///< 1 … of
  std::int64_t of = 1;

  /// "I/N".
  std::string text() const;

  bool is_all() const { return of == 1; }
  bool operator==(const Part&) const = default;
};

/// Reads "I/N", as the configuration's `key` gives it. Throws ConfigError naming the key.
Part parse_part(const std::string& text, std::string_view key);

/// Those of `count` things that are in the part: consecutive, in numbers that differ by one at most
/// from part to part; none where there are fewer things than parts.
IndexRange range_of_part(std::int64_t count, const Part& part);

}  // namespace effuse
