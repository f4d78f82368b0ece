#pragma once

#include <cstdint>

namespace effuse {

/// Consecutive numbers: first, first + 1 … end - 1.
struct IndexRange {
  std::int64_t first = 0;
  std::int64_t end = 0;

  std::int64_t count() const { return end - first; }
  bool operator==(const IndexRange&) const = default;
};

}  // namespace effuse
