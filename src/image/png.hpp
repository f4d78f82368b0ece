#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "image/image.hpp"

namespace effuse {

/// See decode_image().
Image decode_png(std::span<const std::byte> file);

/// A PNG file, 8 bits, grey or RGB. The same image gives the same bytes with the same libpng.
std::string encode_png(const Image& image);

/// More pixels than this are taken for damage or malice, not for a picture (2^28).
inline constexpr long long kMaximumPixels = 1LL << 28;

}  // namespace effuse
