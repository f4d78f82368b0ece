#include "image/image.hpp"

#include <algorithm>

namespace effuse {
namespace {

std::size_t size_of(int height, int width, int channels) {
  return static_cast<std::size_t>(height) * static_cast<std::size_t>(width) *
         static_cast<std::size_t>(channels);
}

/// Weights of 2^-16 that add up to one, so that white stays white.
std::uint8_t luma(const std::uint8_t* rgb) {
  return static_cast<std::uint8_t>((19595u * rgb[0] + 38470u * rgb[1] + 7471u * rgb[2] + 32768u) >>
                                   16);
}

}  // namespace

Image::Image(int height_px, int width_px, int channel_count)
    : height(height_px),
      width(width_px),
      channels(channel_count),
      pixels(size_of(height_px, width_px, channel_count)) {}

std::size_t Image::row_bytes() const { return size_of(1, width, channels); }

std::uint8_t* Image::at(int y, int x) {
  return pixels.data() + size_of(y, width, channels) + size_of(1, x, channels);
}

const std::uint8_t* Image::at(int y, int x) const { return const_cast<Image*>(this)->at(y, x); }

Image with_channels(Image image, int channels) {
  if (image.channels == channels) return image;
  Image result(image.height, image.width, channels);
  const std::size_t count = size_of(image.height, image.width, 1);
  for (std::size_t i = 0; i < count; ++i) {
    if (channels == 1) {
      result.pixels[i] = luma(image.pixels.data() + 3 * i);
    } else {
      std::fill_n(result.pixels.data() + 3 * i, 3, image.pixels[i]);
    }
  }
  return result;
}

Image over_white(const Image& image) {
  const int colours = image.channels - 1;
  Image result(image.height, image.width, colours);
  const std::uint8_t* from = image.pixels.data();
  for (std::size_t i = 0; i < result.pixels.size(); from += image.channels) {
    const unsigned alpha = from[colours];
    for (int c = 0; c < colours; ++c) {
      result.pixels[i++] =
          static_cast<std::uint8_t>((from[c] * alpha + 255u * (255u - alpha) + 127u) / 255u);
    }
  }
  return result;
}

Image cut_out(const Image& image, int top, int left, int height, int width) {
  Image result(height, width, image.channels);
  for (int y = 0; y < height; ++y) {
    std::copy_n(image.at(top + y, left), result.row_bytes(), result.at(y, 0));
  }
  return result;
}

void paste(Image& target, const Image& source, int top, int left) {
  for (int y = 0; y < source.height; ++y) {
    std::copy_n(source.at(y, 0), source.row_bytes(), target.at(top + y, left));
  }
}

}  // namespace effuse
