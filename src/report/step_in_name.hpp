#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace effuse {

/// The number in names of a run folder that carry a step: "step-00012000" with `suffix` "", or
/// "step-00012000.png" with ".png". Nothing for every other name, temporary ones included.
std::optional<std::int64_t> step_in_name(std::string_view name, std::string_view suffix = "");

}  // namespace effuse
