#pragma once

#include <cstdint>

#include "core/index_range.hpp"

namespace effuse {

/// What of `count` falls to a rank: a run of whole tiles, so that tiles are the same at any number
/// of ranks.
IndexRange range_of_rank(std::int64_t count, std::int64_t tile, int rank, int world_size);

/// In as many rounds, a tile a rank, all ranks are done.
std::int64_t most_tiles_of_a_rank(std::int64_t count, std::int64_t tile, int world_size);

}  // namespace effuse
