#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/text.hpp"

namespace effuse {

/// "1 line", "2,000 lines".
inline std::string counted(std::int64_t count, std::string_view noun) {
  return cat(human_count(static_cast<std::uint64_t>(count)), " ", noun, count == 1 ? "" : "s");
}

}  // namespace effuse
