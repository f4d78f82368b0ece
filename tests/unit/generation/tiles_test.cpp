#include "generation/tiles.hpp"

#include <gmock/gmock.h>

#include "core/error.hpp"
#include "support/error_message.hpp"

namespace effuse {
namespace {

using ::testing::HasSubstr;

TEST(Tiles, hold_each_image_of_a_set_once_and_are_aligned_to_image_numbers) {
  for (std::int64_t first = 0; first <= 9; ++first) {
    for (std::int64_t end = first + 1; end <= 25; ++end) {
      for (std::int64_t size = 1; size <= 8; ++size) {
        std::int64_t next = first;
        for (const Tile& tile : tiles_of({first, end}, size)) {
          EXPECT_EQ(tile.first, tile.number * size);
          EXPECT_EQ(tile.wanted.first, next);
          EXPECT_GT(tile.wanted.count(), 0);
          EXPECT_LE(tile.skipped() + tile.wanted.count(), size);
          next = tile.wanted.end;
        }
        EXPECT_EQ(next, end);
      }
    }
  }
}

TEST(Tiles, at_the_ends_want_what_is_part_of_the_set) {
  const auto tiles = tiles_of({5, 10}, 4);
  EXPECT_EQ(tiles, (std::vector<Tile>{{1, 4, {5, 8}}, {2, 8, {8, 10}}}));
  EXPECT_EQ(tiles[0].skipped(), 1);
}

TEST(Tiles, of_parts_follow_one_another_and_are_even) {
  for (std::int64_t count = 1; count <= 12; ++count) {
    const auto tiles = tiles_of({0, count}, 1);
    for (std::int64_t of = 1; of <= 15; ++of) {
      std::vector<Tile> together;
      for (std::int64_t number = 1; number <= of; ++number) {
        const auto part = tiles_of_part(tiles, {number, of});
        EXPECT_LE(part.size(), static_cast<std::size_t>((count + of - 1) / of));
        EXPECT_GE(part.size(), static_cast<std::size_t>(count / of));
        together.insert(together.end(), part.begin(), part.end());
      }
      EXPECT_EQ(together, tiles);
    }
  }
}

TEST(Tiles, of_ranks_are_dealt_out_in_turn) {
  const auto tiles = tiles_of({0, 5}, 1);
  EXPECT_EQ(tiles_of_rank(tiles, 0, 2), (std::vector<Tile>{tiles[0], tiles[2], tiles[4]}));
  EXPECT_EQ(tiles_of_rank(tiles, 1, 2), (std::vector<Tile>{tiles[1], tiles[3]}));
  EXPECT_TRUE(tiles_of_rank(tiles, 5, 6).empty());
}

TEST(IndexRange, is_read_as_it_is_written) {
  EXPECT_EQ(parse_image_range("0-49999"), (IndexRange{0, 50000}));
  EXPECT_EQ(parse_image_range("7-7"), (IndexRange{7, 8}));
  EXPECT_EQ(to_text({100, 200}), "100-199");
  for (const char* text : {"5", "5-", "-5", "6-5", "1-2-3", "0x1-2", "1000000000000000-2"}) {
    EXPECT_THAT(message_of<ConfigError>([&] { parse_image_range(text); }),
                HasSubstr("must be FIRST-LAST"));
  }
}

}  // namespace
}  // namespace effuse
