#include "image/jpeg.hpp"

#include <turbojpeg.h>

#include <algorithm>
#include <memory>
#include <string_view>
#include <type_traits>

#include "core/error.hpp"
#include "core/text.hpp"
#include "image/orientation.hpp"
#include "image/png.hpp"

namespace effuse {
namespace {

struct Destroy {
  void operator()(void* decompressor) const { tjDestroy(decompressor); }
};
using Decompressor = std::unique_ptr<std::remove_pointer_t<tjhandle>, Destroy>;
using Compressor = Decompressor;

struct Header {
  int height = 0;
  int width = 0;
  int colour_space = 0;
};

[[noreturn]] void fail(const Decompressor& decompressor) {
  throw DataError(cat("damaged or truncated JPEG: ", tjGetErrorStr2(decompressor.get())));
}

const unsigned char* data_of(std::span<const std::byte> file) {
  return reinterpret_cast<const unsigned char*>(file.data());
}

Header read_header(const Decompressor& decompressor, std::span<const std::byte> file) {
  Header header;
  int subsampling = 0;
  if (tjDecompressHeader3(decompressor.get(), data_of(file), file.size(), &header.width,
                          &header.height, &subsampling, &header.colour_space) != 0) {
    fail(decompressor);
  }
  if (static_cast<long long>(header.height) * header.width > kMaximumPixels) {
    throw DataError(
        cat("a JPEG of ", header.width, "x", header.height, " pixels (more than can be meant)"));
  }
  return header;
}

/// The largest of 1, 2, 4, 8 by which the image can be divided and still have twice the pixels that
/// the target needs. These are the sizes that libjpeg-turbo decodes with vector instructions.
int divisor_for(const Header& header, const std::optional<Target>& target) {
  if (!target) return 1;
  const int side = target->fit == Fit::crop ? std::min(header.height, header.width)
                                            : std::max(header.height, header.width);
  int divisor = 1;
  while (divisor < 8 && side / (2 * divisor) >= 2 * target->size) divisor *= 2;
  return divisor;
}

/// Adobe's programs store CMYK inverted, 255 for no ink, and say who they are in an APP14 segment
/// ahead of the scan.
bool is_by_adobe(std::span<const std::byte> file) {
  const std::string_view text(reinterpret_cast<const char*>(file.data()), file.size());
  std::size_t place = 2;
  while (place + 4 <= text.size() && text[place] == '\xFF') {
    const auto marker = static_cast<unsigned char>(text[place + 1]);
    if (marker == 0xDA) return false;
    if (marker == 0xEE && text.substr(place + 4).starts_with("Adobe")) return true;
    place += 2 + (static_cast<unsigned char>(text[place + 2]) << 8) +
             static_cast<unsigned char>(text[place + 3]);
  }
  return false;
}

/// R = (255 - C)(255 - K) / 255, and so on.
Image rgb_of_cmyk(const std::vector<std::uint8_t>& cmyk, int height, int width, bool inverted) {
  Image image(height, width, 3);
  const unsigned flip = inverted ? 0u : 255u;
  for (std::size_t i = 0; i < image.pixels.size(); ++i) {
    const std::uint8_t* ink = cmyk.data() + i / 3 * 4;
    image.pixels[i] =
        static_cast<std::uint8_t>(((ink[i % 3] ^ flip) * (ink[3] ^ flip) + 127u) / 255u);
  }
  return image;
}

}  // namespace

Image decode_jpeg(std::span<const std::byte> file, const std::optional<Target>& target) {
  const Decompressor decompressor(tjInitDecompress());
  if (!decompressor) throw Error(cat("libjpeg-turbo does not start: ", tjGetErrorStr2(nullptr)));
  const Header header = read_header(decompressor, file);
  const tjscalingfactor scale{1, divisor_for(header, target)};
  const int height = TJSCALED(header.height, scale);
  const int width = TJSCALED(header.width, scale);

  // A warning means that pixels are missing or wrong: libjpeg would leave them grey.
  constexpr int kFlags = TJFLAG_ACCURATEDCT | TJFLAG_STOPONWARNING | TJFLAG_LIMITSCANS;
  const auto decompress = [&](std::vector<std::uint8_t>& pixels, TJPF format) {
    pixels.resize(static_cast<std::size_t>(height) * static_cast<std::size_t>(width) *
                  static_cast<std::size_t>(tjPixelSize[format]));
    if (tjDecompress2(decompressor.get(), data_of(file), file.size(), pixels.data(), width, 0,
                      height, format, kFlags) != 0) {
      fail(decompressor);
    }
  };
  Image image;
  if (header.colour_space == TJCS_CMYK || header.colour_space == TJCS_YCCK) {
    std::vector<std::uint8_t> cmyk;
    decompress(cmyk, TJPF_CMYK);
    image = rgb_of_cmyk(cmyk, height, width, is_by_adobe(file));
  } else {
    const bool grey = header.colour_space == TJCS_GRAY;
    image = Image(height, width, grey ? 1 : 3);
    decompress(image.pixels, grey ? TJPF_GRAY : TJPF_RGB);
  }
  return turned_upright(std::move(image), exif_orientation(file));
}

std::string encode_jpeg(const Image& image, int quality) {
  const Compressor compressor(tjInitCompress());
  if (!compressor) throw Error(cat("libjpeg-turbo does not start: ", tjGetErrorStr2(nullptr)));
  const bool grey = image.channels == 1;
  const int sampling = grey ? TJSAMP_GRAY : TJSAMP_444;
  std::string file(tjBufSize(image.width, image.height, sampling), '\0');
  auto* data = reinterpret_cast<unsigned char*>(file.data());
  unsigned long size_bytes = file.size();
  if (tjCompress2(compressor.get(), image.pixels.data(), image.width, 0, image.height,
                  grey ? TJPF_GRAY : TJPF_RGB, &data, &size_bytes, sampling, quality,
                  TJFLAG_ACCURATEDCT | TJFLAG_NOREALLOC) != 0) {
    throw Error(cat("cannot encode a JPEG: ", tjGetErrorStr2(compressor.get())));
  }
  file.resize(size_bytes);
  return file;
}

}  // namespace effuse
