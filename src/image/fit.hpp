#pragma once

#include <string_view>

#include "image/image.hpp"

namespace effuse {

/// crop: the centre square, resized; pad: shrunk where larger, then centred on black.
enum class Fit { crop, pad };

/// Of "crop" or "pad". Throws ConfigError for another name.
Fit fit_named(std::string_view name);

/// The form that all images of a data set have: square, `size` pixels a side, 1 or 3 channels.
struct Target {
  int size = 0;
  int channels = 3;
  Fit fit = Fit::crop;
};

/// Antialiased bicubic resize (Catmull-Rom, as PIL's BICUBIC; computed by zimg). Throws DataError
/// where zimg refuses the sizes.
Image resize(const Image& image, int height, int width);

/// `image` in the form of `target`.
Image fit_image(Image image, const Target& target);

}  // namespace effuse
