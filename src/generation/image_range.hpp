#pragma once

#include <cstdint>
#include <string>

namespace effuse {

/// Consecutive image numbers: first, first + 1 … end - 1.
struct ImageRange {
  std::int64_t first = 0;
  std::int64_t end = 0;

  std::int64_t count() const { return end - first; }
  bool operator==(const ImageRange&) const = default;
};

/// Reads "FIRST-LAST", as sampling.seeds gives it. Throws ConfigError naming the key.
ImageRange parse_image_range(const std::string& text);

/// "FIRST-LAST" again.
std::string to_text(const ImageRange& range);

}  // namespace effuse
