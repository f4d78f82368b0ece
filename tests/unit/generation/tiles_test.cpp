#include "generation/tiles.hpp"

#include <gtest/gtest.h>

#include <map>

namespace effuse {
namespace {

TEST(TilesOfRank, ranks_together_make_each_image_once_in_the_same_tiles) {
  for (std::int64_t images = 0; images <= 25; ++images) {
    for (std::int64_t size = 1; size <= 8; ++size) {
      for (int ranks = 1; ranks <= 4; ++ranks) {
        std::map<std::int64_t, Tile> tiles;
        for (int rank = 0; rank < ranks; ++rank) {
          for (const Tile& tile : tiles_of_rank(images, size, rank, ranks)) {
            EXPECT_EQ(tile.first, tile.number * size);
            EXPECT_TRUE(tiles.emplace(tile.number, tile).second);
          }
        }
        std::int64_t made = 0;
        for (const auto& [number, tile] : tiles) {
          EXPECT_EQ(tile.first, made);
          made += tile.wanted;
        }
        EXPECT_EQ(made, images);
      }
    }
  }
}

TEST(TilesOfRank, the_last_tile_wants_what_is_left) {
  const auto tiles = tiles_of_rank(10, 4, 0, 2);
  ASSERT_EQ(tiles.size(), 2u);
  EXPECT_EQ(tiles[0].wanted, 4);
  EXPECT_EQ(tiles[1].number, 2);
  EXPECT_EQ(tiles[1].wanted, 2);
}

}  // namespace
}  // namespace effuse
