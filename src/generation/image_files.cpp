#include "generation/image_files.hpp"

#include <span>

#include "core/error.hpp"
#include "core/files.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "core/zero_padded.hpp"
#include "image/decode.hpp"
#include "image/jpeg.hpp"
#include "image/png.hpp"
#include "image/webp.hpp"

namespace effuse {

ImageCodec image_codec(const std::string& format, int quality) {
  if (format == "png") return {".png", &encode_png};
  if (format == "jpeg") {
    return {".jpg", [quality](const Image& image) { return encode_jpeg(image, quality); }};
  }
  if (format == "webp") {
    return {".webp", [quality](const Image& image) { return encode_webp(image, quality); }};
  }
  throw ConfigError(cat("sampling.format is \"", format, "\", which is no format of image files"));
}

std::filesystem::path image_file(const std::filesystem::path& folder, std::int64_t index,
                                 const std::string& extension) {
  return folder / "images" / zero_padded(index / 1000, 5) / (zero_padded(index, 8) + extension);
}

Image image_at(const at::Tensor& images, std::int64_t place) {
  const at::Tensor one = images.select(0, place).contiguous();
  Image image;
  image.height = static_cast<int>(one.size(0));
  image.width = static_cast<int>(one.size(1));
  image.channels = static_cast<int>(one.size(2));
  const auto* pixels = one.const_data_ptr<std::uint8_t>();
  image.pixels.assign(pixels, pixels + one.numel());
  return image;
}

std::vector<Image> images_of(const at::Tensor& images) {
  std::vector<Image> result;
  for (std::int64_t i = 0; i < images.size(0); ++i) result.push_back(image_at(images, i));
  return result;
}

void write_image(const std::filesystem::path& file, const Image& image, const ImageCodec& codec) {
  std::filesystem::create_directories(file.parent_path());
  write_file_atomically(file, codec.encode(image));
}

bool has_whole_image(const std::filesystem::path& file) {
  if (!std::filesystem::exists(file)) return false;
  try {
    const std::string bytes = read_file(file);
    decode_image(std::as_bytes(std::span(bytes)));
    return true;
  } catch (const DataError& error) {
    log::local_warning(file.string(), " is made again: ", error.what());
    return false;
  }
}

}  // namespace effuse
