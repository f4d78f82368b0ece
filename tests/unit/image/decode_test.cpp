#include "image/decode.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "core/text.hpp"
#include "image/jpeg.hpp"
#include "image/orientation.hpp"
#include "image/png.hpp"
#include "image/webp.hpp"
#include "unit/image/golden.hpp"

namespace effuse {
namespace {

Image decode(std::string_view bytes) { return decode_image(std::as_bytes(std::span(bytes))); }

Image decode_golden(const std::string& name) { return decode(read_file(golden(name))); }

std::string reason(std::string_view bytes) {
  try {
    decode(bytes);
  } catch (const DataError& error) {
    return error.what();
  }
  return "no DataError";
}

struct Case {
  std::string file;
  int tolerance;  ///< grey levels between our arithmetic and PIL's
};

std::string name_of_case(const testing::TestParamInfo<Case>& tested) {
  return tested.param.file.substr(0, tested.param.file.find('.'));
}

class Decoding : public testing::TestWithParam<Case> {};

TEST_P(Decoding, sees_what_pil_sees) {
  const std::string name = GetParam().file;
  const Image expected = golden_pixels(name.substr(0, name.find('.')));
  EXPECT_LE(largest_difference(decode_golden(name), expected), GetParam().tolerance);
}

INSTANTIATE_TEST_SUITE_P(Png, Decoding,
                         testing::Values(Case{"rgb.png", 0}, Case{"alpha.png", 1},
                                         Case{"palette.png", 0}, Case{"palette_transparent.png", 0},
                                         Case{"grey16.png", 0}, Case{"bits.png", 0}),
                         name_of_case);

INSTANTIATE_TEST_SUITE_P(Jpeg, Decoding,
                         testing::Values(Case{"plain.jpg", 1}, Case{"progressive.jpg", 1},
                                         Case{"grey.jpg", 1}, Case{"cmyk.jpg", 1},
                                         Case{"turned.jpg", 1}),
                         name_of_case);

TEST(Decode, every_truncated_jpeg_is_an_error) {
  const std::string whole = read_file(golden("plain.jpg"));
  for (std::size_t size = 0; size + 2 < whole.size(); size += 7) {
    EXPECT_THROW(decode(whole.substr(0, size)), DataError) << size << " bytes";
  }
  EXPECT_NE(reason(whole.substr(0, whole.size() / 2)).find("truncated JPEG"), std::string::npos);
}

TEST(Decode, a_png_truncated_in_its_pixels_is_an_error) {
  const std::string whole = read_file(golden("rgb.png"));
  const std::size_t end_of_pixels = whole.find("IEND") - 4;
  for (std::size_t size = 0; size < end_of_pixels - 4; ++size) {
    EXPECT_THROW(decode(whole.substr(0, size)), DataError) << size << " bytes";
  }
}

TEST(Decode, a_damaged_png_is_an_error) {
  std::string file = read_file(golden("rgb.png"));
  file[file.find("IDAT") + 20] ^= 0x10;
  EXPECT_NE(reason(file).find("PNG"), std::string::npos);
}

TEST(Decode, says_what_is_wrong) {
  EXPECT_EQ(reason(""), "the file is empty (0 bytes)");
  EXPECT_EQ(reason("not an image"),
            "neither a PNG, a JPEG nor a WebP file, whatever its name says");
}

TEST(Decode, prints_nothing_about_damage) {
  const std::string jpeg = read_file(golden("plain.jpg"));
  const std::string png = read_file(golden("rgb.png"));
  testing::internal::CaptureStderr();
  reason(jpeg.substr(0, jpeg.size() / 2));
  reason(png.substr(0, png.size() / 2));
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST(Decode, shrinks_a_jpeg_no_further_than_twice_the_target) {
  const std::string file = read_file(golden("plain.jpg"));  // 24 x 40
  const auto decoded = [&](int size, Fit fit) {
    const Image image = decode_image(std::as_bytes(std::span(file)), Target{size, 3, fit});
    return cat(image.height, "x", image.width);
  };
  EXPECT_EQ(decoded(7, Fit::crop), "24x40");
  EXPECT_EQ(decoded(6, Fit::crop), "12x20");
  EXPECT_EQ(decoded(3, Fit::crop), "6x10");
  EXPECT_EQ(decoded(10, Fit::pad), "12x20");
  EXPECT_EQ(decoded(1, Fit::crop), "3x5");
}

TEST(Jpeg, keeps_what_its_quality_promises) {
  const Image rgb = golden_pixels("rgb");
  const std::string fine = encode_jpeg(rgb, 100);
  EXPECT_LE(largest_difference(decode(fine), rgb), 4);
  EXPECT_LT(encode_jpeg(rgb, 20).size(), fine.size());
  const Image grey = with_channels(rgb, 1);
  EXPECT_EQ(decode(encode_jpeg(grey, 100)).channels, 1);
}

TEST(Webp, keeps_what_its_quality_promises) {
  Image smooth(32, 48, 3);  // colours are halved in resolution
  for (int y = 0; y < 32; ++y) {
    for (int x = 0; x < 48; ++x) {
      smooth.at(y, x)[0] = static_cast<std::uint8_t>(4 * x);
      smooth.at(y, x)[1] = static_cast<std::uint8_t>(6 * y);
      smooth.at(y, x)[2] = 90;
    }
  }
  const std::string fine = encode_webp(smooth, 100);
  EXPECT_LE(largest_difference(decode(fine), smooth), 12);
  EXPECT_LT(encode_webp(smooth, 5).size(), fine.size());
  EXPECT_EQ(decode(encode_webp(with_channels(smooth, 1), 100)).channels, 3);
  for (std::size_t size = 1; size < fine.size(); size += 7) {
    EXPECT_THROW(decode(fine.substr(0, size)), DataError) << size << " bytes";
  }
}

TEST(Png, round_trip_grey_and_rgb) {
  const Image rgb = golden_pixels("rgb");
  EXPECT_EQ(decode(encode_png(rgb)), rgb);
  const Image grey = with_channels(rgb, 1);
  EXPECT_EQ(decode(encode_png(grey)), grey);
}

TEST(Orientation, all_eight) {
  Image image(2, 3, 1);
  image.pixels = {1, 2, 3,  //
                  4, 5, 6};
  const auto turned = [&](int orientation) { return turned_upright(image, orientation).pixels; };
  using Pixels = std::vector<std::uint8_t>;
  EXPECT_EQ(turned(1), (Pixels{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(turned(2), (Pixels{3, 2, 1, 6, 5, 4}));
  EXPECT_EQ(turned(3), (Pixels{6, 5, 4, 3, 2, 1}));
  EXPECT_EQ(turned(4), (Pixels{4, 5, 6, 1, 2, 3}));
  EXPECT_EQ(turned(5), (Pixels{1, 4, 2, 5, 3, 6}));
  EXPECT_EQ(turned(6), (Pixels{4, 1, 5, 2, 6, 3}));
  EXPECT_EQ(turned(7), (Pixels{6, 3, 5, 2, 4, 1}));
  EXPECT_EQ(turned(8), (Pixels{3, 6, 2, 5, 1, 4}));
  EXPECT_EQ(turned_upright(image, 6).height, 3);
}

}  // namespace
}  // namespace effuse
