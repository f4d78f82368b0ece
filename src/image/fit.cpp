#include "image/fit.hpp"

#include <algorithm>
#include <cmath>

#include "core/error.hpp"
#include "core/text.hpp"

namespace effuse {
namespace {

Image centre_square(const Image& image) {
  const int side = std::min(image.height, image.width);
  return cut_out(image, (image.height - side) / 2, (image.width - side) / 2, side, side);
}

Image shrink_into(const Image& image, int size) {
  const int longer = std::max(image.height, image.width);
  if (longer <= size) return image;
  const auto scaled = [&](int length) {
    return std::max(1, static_cast<int>(std::lround(static_cast<double>(length) * size / longer)));
  };
  return resize(image, scaled(image.height), scaled(image.width));
}

Image pad_to(const Image& image, int size) {
  if (image.height == size && image.width == size) return image;
  Image result(size, size, image.channels);
  paste(result, image, (size - image.height) / 2, (size - image.width) / 2);
  return result;
}

}  // namespace

Fit fit_named(std::string_view name) {
  if (name == "crop") return Fit::crop;
  if (name == "pad") return Fit::pad;
  throw ConfigError(cat("pack.fit = \"", name, "\" is neither \"crop\" nor \"pad\""));
}

Image fit_image(Image image, const Target& target) {
  // Whichever way round leaves fewer planes to resize.
  if (target.channels < image.channels) image = with_channels(std::move(image), target.channels);
  if (target.fit == Fit::crop) {
    if (image.height != image.width) image = centre_square(image);
    if (image.height != target.size) image = resize(image, target.size, target.size);
  } else {
    image = pad_to(shrink_into(image, target.size), target.size);
  }
  return with_channels(std::move(image), target.channels);
}

}  // namespace effuse
