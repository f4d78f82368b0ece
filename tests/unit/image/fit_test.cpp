#include "image/fit.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/error.hpp"
#include "unit/image/golden.hpp"

namespace effuse {
namespace {

Image constant(int height, int width, int channels, std::uint8_t value) {
  Image image(height, width, channels);
  std::fill(image.pixels.begin(), image.pixels.end(), value);
  return image;
}

/// PIL and zimg differ in what lies beyond the border: nothing, or a mirror image.
TEST(Resize, equals_pil_to_a_grey_level_inside_and_to_four_at_the_border) {
  const Image large = golden_pixels("large");
  for (const std::string name : {"large_16x16", "large_10x53", "large_60x80"}) {
    const Image expected = golden_pixels(name);
    const Image result = resize(large, expected.height, expected.width);
    EXPECT_LE(largest_difference(result, expected), 4) << name;
    const auto inside = [](const Image& image) {
      return cut_out(image, 3, 3, image.height - 6, image.width - 6);
    };
    EXPECT_LE(largest_difference(inside(result), inside(expected)), 1) << name;
  }
}

TEST(Resize, a_constant_image_stays_constant_at_any_size) {
  for (const int height : {1, 2, 3, 5, 64, 333}) {
    for (const int width : {1, 2, 7, 100}) {
      for (const int size : {1, 2, 3, 8, 65}) {
        const Image result = resize(constant(height, width, 3, 200), size, size);
        EXPECT_EQ(result, constant(size, size, 3, 200)) << height << "x" << width << " " << size;
      }
    }
  }
}

TEST(Resize, a_fine_checkerboard_becomes_grey) {
  Image board(128, 128, 1);
  for (int y = 0; y < 128; ++y) {
    for (int x = 0; x < 128; ++x) *board.at(y, x) = (x + y) % 2 == 0 ? 255 : 0;
  }
  const Image small = resize(board, 16, 16);
  const auto [low, high] = std::minmax_element(small.pixels.begin(), small.pixels.end());
  EXPECT_GE(*low, 120);
  EXPECT_LE(*high, 135);
}

TEST(FitImage, leaves_an_image_of_the_right_form_alone) {
  const Image image = cut_out(golden_pixels("large"), 0, 0, 32, 32);
  EXPECT_EQ(fit_image(image, {32, 3, Fit::crop}), image);
  EXPECT_EQ(fit_image(image, {32, 3, Fit::pad}), image);
}

TEST(FitImage, crop_takes_the_centre) {
  Image image(4, 9, 1);
  for (int y = 0; y < 4; ++y) {
    for (int x = 2; x < 6; ++x) *image.at(y, x) = 100;
  }
  EXPECT_EQ(fit_image(image, {4, 1, Fit::crop}), constant(4, 4, 1, 100));
}

TEST(FitImage, pad_centres_on_black) {
  const Image padded = fit_image(constant(28, 28, 1, 9), {32, 1, Fit::pad});
  Image expected(32, 32, 1);
  paste(expected, constant(28, 28, 1, 9), 2, 2);
  EXPECT_EQ(padded, expected);
}

TEST(FitImage, pad_shrinks_what_is_larger_and_keeps_its_proportions) {
  const Image padded = fit_image(constant(100, 50, 3, 250), {20, 3, Fit::pad});
  Image expected(20, 20, 3);
  paste(expected, constant(20, 10, 3, 250), 0, 5);
  EXPECT_EQ(padded, expected);
}

TEST(FitImage, keeps_one_pixel_of_a_thread) {
  EXPECT_EQ(fit_image(constant(1, 1000, 1, 255), {16, 1, Fit::pad}).height, 16);
  EXPECT_EQ(fit_image(constant(1000, 1, 1, 255), {16, 1, Fit::crop}), constant(16, 16, 1, 255));
}

TEST(Channels, luma_and_back) {
  Image image(1, 4, 3);
  image.pixels = {255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255};
  const Image grey = with_channels(image, 1);
  EXPECT_EQ(grey.pixels, (std::vector<std::uint8_t>{76, 150, 29, 255}));
  EXPECT_EQ(with_channels(grey, 3).pixels,
            (std::vector<std::uint8_t>{76, 76, 76, 150, 150, 150, 29, 29, 29, 255, 255, 255}));
}

TEST(FitNamed, refuses_other_names) {
  EXPECT_EQ(fit_named("pad"), Fit::pad);
  EXPECT_THROW(fit_named("stretch"), ConfigError);
}

}  // namespace
}  // namespace effuse
