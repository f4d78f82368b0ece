#include "generation/tiles.hpp"

#include <algorithm>

namespace effuse {

std::vector<Tile> tiles_of(const IndexRange& set, std::int64_t tile_size) {
  std::vector<Tile> tiles;
  for (std::int64_t number = set.first / tile_size; number * tile_size < set.end; ++number) {
    const std::int64_t first = number * tile_size;
    tiles.push_back(
        {number, first, {std::max(first, set.first), std::min(first + tile_size, set.end)}});
  }
  return tiles;
}

std::vector<Tile> tiles_of_part(const std::vector<Tile>& tiles, const Part& part) {
  const IndexRange range = range_of_part(std::ssize(tiles), part);
  return {tiles.begin() + range.first, tiles.begin() + range.end};
}

std::vector<Tile> tiles_of_rank(const std::vector<Tile>& tiles, int rank, int world_size) {
  std::vector<Tile> own;
  for (auto i = static_cast<std::size_t>(rank); i < tiles.size();
       i += static_cast<std::size_t>(world_size)) {
    own.push_back(tiles[i]);
  }
  return own;
}

}  // namespace effuse
