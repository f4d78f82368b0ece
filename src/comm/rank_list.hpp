#pragma once

#include <span>
#include <string>

namespace effuse {

/// Ranks, in ascending order, as messages name them: "rank 1", "ranks 0 and 2", "ranks 0, 2 to 9
/// and 12".
std::string rank_list(std::span<const int> ranks);

}  // namespace effuse
