#include "image/decode.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "core/error.hpp"
#include "image/jpeg.hpp"
#include "image/png.hpp"
#include "image/webp.hpp"

namespace effuse {
namespace {

template <std::size_t size>
bool begins_with(std::span<const std::byte> file, const std::array<unsigned char, size>& magic) {
  return file.size() >= size &&
         std::equal(magic.begin(), magic.end(), file.begin(),
                    [](unsigned char a, std::byte b) { return std::byte{a} == b; });
}

Image decode(std::span<const std::byte> file, const std::optional<Target>& target) {
  constexpr std::array<unsigned char, 8> kPng{0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
  constexpr std::array<unsigned char, 3> kJpeg{0xFF, 0xD8, 0xFF};
  if (file.empty()) throw DataError("the file is empty (0 bytes)");
  if (begins_with(file, kPng)) return decode_png(file);
  if (begins_with(file, kJpeg)) return decode_jpeg(file, target);
  if (is_webp(file)) return decode_webp(file);
  throw DataError("neither a PNG, a JPEG nor a WebP file, whatever its name says");
}

}  // namespace

Image decode_image(std::span<const std::byte> file) { return decode(file, std::nullopt); }

Image decode_image(std::span<const std::byte> file, const Target& target) {
  return decode(file, target);
}

}  // namespace effuse
