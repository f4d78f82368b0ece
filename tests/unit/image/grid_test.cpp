#include "image/grid.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/error.hpp"
#include "image/font.hpp"

namespace effuse {
namespace {

Image constant(int size, int channels, std::uint8_t value) {
  Image image(size, size, channels);
  std::fill(image.pixels.begin(), image.pixels.end(), value);
  return image;
}

TEST(Grid, large_images_lie_two_pixels_apart) {
  const std::vector<Image> images(5, constant(60, 3, 10));
  const Image grid = make_grid(images, 3);
  EXPECT_EQ(grid.width, 2 + 3 * 62);
  EXPECT_EQ(grid.height, 2 + 2 * 62);
  EXPECT_EQ(grid.channels, 3);
  EXPECT_EQ(*grid.at(0, 0), 255);
  EXPECT_EQ(*grid.at(2, 2), 10);
  EXPECT_EQ(*grid.at(61, 61), 10);
  EXPECT_EQ(*grid.at(2, 62), 255);
  EXPECT_EQ(*grid.at(64, 64), 10);
  EXPECT_EQ(*grid.at(64, 126), 255) << "the sixth cell is blank";
}

TEST(Grid, small_images_are_enlarged_by_a_whole_factor) {
  const std::vector<Image> images{constant(28, 1, 7)};
  const Image grid = make_grid(images, 1);
  EXPECT_EQ(grid.width, 2 + 56 + 2);
  EXPECT_EQ(grid.channels, 1);
  EXPECT_EQ(std::count(grid.pixels.begin(), grid.pixels.end(), 7), 56 * 56);
}

TEST(Grid, labels_make_room_above) {
  const std::vector<Image> images{constant(28, 1, 255), Image()};
  const std::vector<std::string> labels{"t-shirt-top", "bag"};
  const Image grid = make_grid(images, 2, labels);
  EXPECT_EQ(grid.width, 2 + 2 * (3 * 28 + 2)) << "enlarged until the longer label fits";
  EXPECT_EQ(grid.height, 2 + 8 + 4 + 84 + 2);
  const auto header_end = grid.pixels.begin() + 12 * grid.width;
  EXPECT_GT(std::count(grid.pixels.begin(), header_end, 0), 50) << "nothing is written";
  EXPECT_EQ(std::count(header_end, grid.pixels.end(), 0), 0) << "writing below its line";
}

TEST(Grid, grey_among_colour_becomes_colour) {
  const std::vector<Image> images{constant(60, 1, 9), constant(60, 3, 8)};
  EXPECT_EQ(make_grid(images, 2).channels, 3);
}

TEST(Grid, refuses_nothing_and_unequal_sizes) {
  EXPECT_THROW(make_grid(std::vector<Image>(3), 3), Error);
  EXPECT_THROW(make_grid(std::vector<Image>{constant(8, 1, 0), constant(9, 1, 0)}, 2), Error);
}

TEST(Font, cuts_with_dots) {
  EXPECT_EQ(text_width_px("abc"), 17);
  EXPECT_EQ(cut_to_width("abc", 17), "abc");
  EXPECT_EQ(cut_to_width("ankle-boot", 56), "ankle-b..");
  EXPECT_LE(text_width_px(cut_to_width("ankle-boot", 56)), 56);
}

TEST(Font, draws_within_the_image_alone) {
  Image image(4, 4, 1);
  std::fill(image.pixels.begin(), image.pixels.end(), std::uint8_t{255});
  draw_text(image, "W\xC3\xA4", -2, -1, 2);
  EXPECT_LT(std::count(image.pixels.begin(), image.pixels.end(), 255), 16);
}

}  // namespace
}  // namespace effuse
