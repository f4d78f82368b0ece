#pragma once

#include <cstdint>
#include <vector>

#include "core/part.hpp"
#include "generation/image_range.hpp"

/// Images are computed in fixed tiles that are aligned to image numbers: tile k computes images
/// [k·size, (k+1)·size), whichever of them are wanted. Libraries choose kernels by shape, so equal
/// shapes give equal bytes, whichever rank computes the tile and whatever set it is part of.
namespace effuse {

struct Tile {
  std::int64_t number = 0;
  std::int64_t first = 0;  ///< number of the first image that is computed
  IndexRange wanted;       ///< those that are part of the set

  /// Place of the first wanted image among those computed.
  std::int64_t skipped() const { return wanted.first - first; }

  bool operator==(const Tile&) const = default;
};

/// The tiles of a set, in order.
std::vector<Tile> tiles_of(const IndexRange& set, std::int64_t tile_size);

/// The tiles of one part, as range_of_part() counts them.
std::vector<Tile> tiles_of_part(const std::vector<Tile>& tiles, const Part& part);

/// Every world_size-th tile, from the rank-th.
std::vector<Tile> tiles_of_rank(const std::vector<Tile>& tiles, int rank, int world_size);

}  // namespace effuse
