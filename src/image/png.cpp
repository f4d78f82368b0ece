#include "image/png.hpp"

#include <png.h>

#include <cstdint>

#include "core/error.hpp"
#include "core/text.hpp"

namespace effuse {
namespace {

/// libpng's simplified reader and writer: no callbacks, no printing.
struct Png {
  png_image image{};
  Png() { image.version = PNG_IMAGE_VERSION; }
  ~Png() { png_image_free(&image); }
  Png(const Png&) = delete;
  Png& operator=(const Png&) = delete;

  [[noreturn]] void fail(const char* what) const {
    throw DataError(cat(what, ": ", image.message));
  }
};

}  // namespace

Image decode_png(std::span<const std::byte> file) {
  Png png;
  if (png_image_begin_read_from_memory(&png.image, file.data(), file.size()) == 0) {
    png.fail("damaged or truncated PNG");
  }
  const bool colour = (png.image.format & PNG_FORMAT_FLAG_COLOR) != 0;
  const bool alpha = (png.image.format & PNG_FORMAT_FLAG_ALPHA) != 0;
  const auto height = static_cast<long long>(png.image.height);
  const auto width = static_cast<long long>(png.image.width);
  if (height * width > kMaximumPixels) {
    throw DataError(cat("a PNG of ", width, "x", height, " pixels (more than can be meant)"));
  }
  // Values of 16 bits are meant as those of 8 are, not as linear light.
  png.image.flags |= PNG_IMAGE_FLAG_16BIT_sRGB;
  png.image.format = (colour ? PNG_FORMAT_FLAG_COLOR : 0u) | (alpha ? PNG_FORMAT_FLAG_ALPHA : 0u);
  Image image(static_cast<int>(height), static_cast<int>(width),
              (colour ? 3 : 1) + (alpha ? 1 : 0));
  if (png_image_finish_read(&png.image, nullptr, image.pixels.data(), 0, nullptr) == 0) {
    png.fail("damaged or truncated PNG");
  }
  return alpha ? over_white(image) : image;
}

std::string encode_png(const Image& image) {
  Png png;
  png.image.width = static_cast<png_uint_32>(image.width);
  png.image.height = static_cast<png_uint_32>(image.height);
  png.image.format = image.channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
  png_alloc_size_t size_bytes = PNG_IMAGE_PNG_SIZE_MAX(png.image);
  std::string file(size_bytes, '\0');
  if (png_image_write_to_memory(&png.image, file.data(), &size_bytes, 0, image.pixels.data(), 0,
                                nullptr) == 0) {
    png.fail("cannot encode a PNG");
  }
  file.resize(size_bytes);
  return file;
}

}  // namespace effuse
