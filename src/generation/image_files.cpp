#include "generation/image_files.hpp"

#include <algorithm>
#include <span>
#include <string>

#include "core/error.hpp"
#include "core/files.hpp"
#include "core/log.hpp"
#include "core/zero_padded.hpp"
#include "image/decode.hpp"
#include "image/png.hpp"

namespace effuse {

std::filesystem::path image_file(const std::filesystem::path& folder, std::int64_t index) {
  return folder / "images" / zero_padded(index / 1000, 5) / (zero_padded(index, 8) + ".png");
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

void write_image(const std::filesystem::path& folder, std::int64_t index, const Image& image) {
  const std::filesystem::path file = image_file(folder, index);
  std::filesystem::create_directories(file.parent_path());
  AtomicFile out(file);
  out.write(encode_png(image));
  out.commit();
}

bool has_whole_image(const std::filesystem::path& folder, std::int64_t index) {
  const std::filesystem::path file = image_file(folder, index);
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
