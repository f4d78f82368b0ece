#include "report/picture.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <string_view>

#include "core/files.hpp"
#include "core/text.hpp"
#include "image/decode.hpp"
#include "image/fit.hpp"
#include "image/webp.hpp"

namespace effuse {
namespace {

constexpr int kLongestSide = 1000;
constexpr int kWebpQuality = 80;

std::string media_type(std::string_view bytes) {
  if (bytes.starts_with("\x89PNG")) return "image/png";
  return bytes.starts_with("RIFF") ? "image/webp" : "image/jpeg";
}

Image shrunk(const Image& image) {
  const int longest = std::max(image.width, image.height);
  if (longest <= kLongestSide) return image;
  const auto scaled = [&](int side) {
    return std::max(1, static_cast<int>(std::lround(double(side) * kLongestSide / longest)));
  };
  return resize(image, scaled(image.height), scaled(image.width));
}

}  // namespace

std::string base64(std::string_view bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');  // OpenSSL adds a final 0
  const int size = ::EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                     reinterpret_cast<const unsigned char*>(bytes.data()),
                                     static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  return text;
}

EmbeddedPicture embed_picture(const std::filesystem::path& file, std::uint64_t limit_bytes) {
  std::string bytes = read_file(file);
  const Image image = decode_image(std::as_bytes(std::span(bytes)));
  EmbeddedPicture picture;
  picture.width = image.width;
  picture.height = image.height;
  if (bytes.size() > limit_bytes) {
    bytes = encode_webp(shrunk(image), kWebpQuality);
    picture.is_shrunk = true;
  }
  picture.data_uri = cat("data:", media_type(bytes), ";base64,", base64(bytes));
  return picture;
}

}  // namespace effuse
