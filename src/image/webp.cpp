#include "image/webp.hpp"

#include <webp/decode.h>
#include <webp/encode.h>

#include <memory>
#include <string_view>

#include "core/error.hpp"
#include "core/text.hpp"
#include "image/png.hpp"

namespace effuse {
namespace {

const std::uint8_t* data_of(std::span<const std::byte> file) {
  return reinterpret_cast<const std::uint8_t*>(file.data());
}

}  // namespace

bool is_webp(std::span<const std::byte> file) {
  const std::string_view text(reinterpret_cast<const char*>(file.data()), file.size());
  return text.starts_with("RIFF") && text.size() >= 12 && text.substr(8, 4) == "WEBP";
}

Image decode_webp(std::span<const std::byte> file) {
  WebPBitstreamFeatures features;
  if (WebPGetFeatures(data_of(file), file.size(), &features) != VP8_STATUS_OK) {
    throw DataError("damaged or truncated WebP");
  }
  if (features.has_animation != 0) throw DataError("a WebP animation, not one picture");
  if (static_cast<long long>(features.height) * features.width > kMaximumPixels) {
    throw DataError(cat("a WebP of ", features.width, "x", features.height,
                        " pixels (more than can be meant)"));
  }
  const bool alpha = features.has_alpha != 0;
  Image image(features.height, features.width, alpha ? 4 : 3);
  const auto decode = alpha ? &WebPDecodeRGBAInto : &WebPDecodeRGBInto;
  if (decode(data_of(file), file.size(), image.pixels.data(), image.pixels.size(),
             static_cast<int>(image.row_bytes())) == nullptr) {
    throw DataError("damaged or truncated WebP");
  }
  return alpha ? over_white(image) : image;
}

std::string encode_webp(const Image& image, int quality) {
  const Image rgb = with_channels(image, 3);
  std::uint8_t* data = nullptr;
  const std::size_t size_bytes =
      WebPEncodeRGB(rgb.pixels.data(), rgb.width, rgb.height, static_cast<int>(rgb.row_bytes()),
                    static_cast<float>(quality), &data);
  const std::unique_ptr<std::uint8_t, decltype(&WebPFree)> owner(data, &WebPFree);
  if (size_bytes == 0) {
    throw Error(cat("cannot encode an image of ", rgb.width, "x", rgb.height,
                    " pixels as WebP (16,383 a side at most)"));
  }
  return {reinterpret_cast<const char*>(data), size_bytes};
}

}  // namespace effuse
