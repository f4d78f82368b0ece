#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "image/image.hpp"

namespace effuse {

/// Whether the file begins as a WebP does.
bool is_webp(std::span<const std::byte> file);

/// See decode_image(). An animation is an error.
Image decode_webp(std::span<const std::byte> file);

/// A WebP file, lossy (the format subsamples colours) and always RGB. quality: 1 … 100.
std::string encode_webp(const Image& image, int quality);

}  // namespace effuse
