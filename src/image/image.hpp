#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace effuse {

/// Pixels in memory: uint8, [height, width, channels], grey (1 channel) or RGB (3).
struct Image {
  int height = 0;
  int width = 0;
  int channels = 0;
  std::vector<std::uint8_t> pixels;

  Image() = default;

  /// Black.
  Image(int height, int width, int channels);

  bool empty() const { return pixels.empty(); }
  std::size_t row_bytes() const;
  std::uint8_t* at(int y, int x);
  const std::uint8_t* at(int y, int x) const;

  bool operator==(const Image&) const = default;
};

/// Grey to RGB by repetition, RGB to grey as luma of ITU-R BT.601 (0.299 R + 0.587 G + 0.114 B).
Image with_channels(Image image, int channels);

/// Grey or RGB from the same with alpha (2 or 4 channels): straight alpha over white, in the values
/// as they are stored (as PIL does it).
Image over_white(const Image& image);

/// The rectangle of `height` x `width` pixels whose upper left corner is (top, left), all inside.
Image cut_out(const Image& image, int top, int left, int height, int width);

/// Copies `source` into `target` at (top, left); channels are equal, all lies inside.
void paste(Image& target, const Image& source, int top, int left);

}  // namespace effuse
