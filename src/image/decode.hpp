#pragma once

#include <cstddef>
#include <span>

#include "image/fit.hpp"
#include "image/image.hpp"

namespace effuse {

/// The picture in a PNG, JPEG or WebP file, told apart by content. Grey stays grey, all else
/// becomes RGB; 16 bits are reduced to 8, transparency is laid on white, CMYK is converted, and a
/// JPEG is turned as its EXIF orientation says. Throws DataError with the reason where the file is
/// empty, truncated, damaged or something else. Prints nothing; any number of threads.
Image decode_image(std::span<const std::byte> file);

/// The same for an image that will be fitted to `target`: a JPEG is decoded at 1/2, 1/4 or 1/8 of
/// its size as long as that leaves at least twice the pixels needed in each direction.
Image decode_image(std::span<const std::byte> file, const Target& target);

}  // namespace effuse
