#pragma once

#include <cstddef>
#include <span>

#include "image/image.hpp"

namespace effuse {

/// The EXIF orientation of a JPEG file, 1 to 8; 1, upright, where it states none.
int exif_orientation(std::span<const std::byte> file);

/// `image`, stored with an EXIF orientation, as it is meant to be seen. 5 to 8 swap height and
/// width.
Image turned_upright(Image image, int orientation);

}  // namespace effuse
