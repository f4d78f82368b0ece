#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

namespace effuse {

/// The two numbers in "A-B", "A/B" or "AxB", by `separator`; nothing unless both are plain digits,
/// at most 15 of them.
std::optional<std::pair<std::int64_t, std::int64_t>> number_pair(std::string_view text,
                                                                 char separator);

/// The number in `text`; nothing unless it is plain digits, at most 15 of them.
std::optional<std::int64_t> plain_number(std::string_view text);

}  // namespace effuse
