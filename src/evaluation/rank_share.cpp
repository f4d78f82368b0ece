#include "evaluation/rank_share.hpp"

#include <algorithm>

namespace effuse {

IndexRange range_of_rank(std::int64_t count, std::int64_t tile, int rank, int world_size) {
  const std::int64_t tiles = (count + tile - 1) / tile;
  const auto begin_of = [&](int r) { return std::min(count, tiles * r / world_size * tile); };
  return {begin_of(rank), begin_of(rank + 1)};
}

std::int64_t most_tiles_of_a_rank(std::int64_t count, std::int64_t tile, int world_size) {
  const std::int64_t tiles = (count + tile - 1) / tile;
  return (tiles + world_size - 1) / world_size;
}

}  // namespace effuse
