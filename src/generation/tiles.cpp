#include "generation/tiles.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "core/text.hpp"
#include "generation/number_pair.hpp"

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

Part parse_part(const std::string& text) {
  const auto pair = number_pair(text, '/');
  if (!pair || pair->first < 1 || pair->first > pair->second) {
    throw ConfigError(cat("sampling.part is \"", text,
                          "\"; it must be I/N, the I-th of N parts, I from 1 to N, as 3/8"));
  }
  return {pair->first, pair->second};
}

std::vector<Tile> tiles_of_part(const std::vector<Tile>& tiles, const Part& part) {
  const auto count = static_cast<std::int64_t>(tiles.size());
  // Of the quotient and the remainder: count · number may be beyond 64 bits.
  const auto begin_of = [&](std::int64_t index) {
    return count / part.of * index + std::min(count % part.of, index);
  };
  return {tiles.begin() + begin_of(part.number - 1), tiles.begin() + begin_of(part.number)};
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
