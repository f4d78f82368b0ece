#pragma once

#include <cstdint>
#include <vector>

/// Images are computed in fixed, index-aligned tiles: tile k holds images [k·size, (k+1)·size), the
/// last one padded. Libraries choose kernels by shape, so equal shapes give equal bytes, whichever
/// rank computes the tile.
namespace effuse {

struct Tile {
  std::int64_t number = 0;
  std::int64_t first = 0;   ///< index of its first image
  std::int64_t wanted = 0;  ///< images of it that are part of the set; the rest is padding
};

/// The tiles of `images` images that fall to `rank`: every world_size-th.
std::vector<Tile> tiles_of_rank(std::int64_t images, std::int64_t tile_size, int rank,
                                int world_size);

}  // namespace effuse
