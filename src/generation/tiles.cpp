#include "generation/tiles.hpp"

#include <algorithm>

namespace effuse {

std::vector<Tile> tiles_of_rank(std::int64_t images, std::int64_t tile_size, int rank,
                                int world_size) {
  std::vector<Tile> tiles;
  for (std::int64_t number = rank; number * tile_size < images; number += world_size) {
    const std::int64_t first = number * tile_size;
    tiles.push_back({number, first, std::min(tile_size, images - first)});
  }
  return tiles;
}

}  // namespace effuse
