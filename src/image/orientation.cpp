#include "image/orientation.hpp"

#include <libexif/exif-data.h>

#include <algorithm>
#include <limits>
#include <memory>

namespace effuse {
namespace {

struct Unreference {
  void operator()(ExifData* data) const { exif_data_unref(data); }
};

struct Place {
  int y;
  int x;
};

/// Where the pixel seen at `p` is stored, in an image stored with h rows and w columns.
Place stored_place(Place p, int orientation, int h, int w) {
  switch (orientation) {
    case 2:
      return {p.y, w - 1 - p.x};
    case 3:
      return {h - 1 - p.y, w - 1 - p.x};
    case 4:
      return {h - 1 - p.y, p.x};
    case 5:
      return {p.x, p.y};
    case 6:
      return {h - 1 - p.x, p.y};
    case 7:
      return {h - 1 - p.x, w - 1 - p.y};
    case 8:
      return {p.x, w - 1 - p.y};
    default:
      return p;
  }
}

}  // namespace

int exif_orientation(std::span<const std::byte> file) {
  const auto size = static_cast<unsigned>(
      std::min<std::size_t>(file.size(), std::numeric_limits<unsigned>::max()));
  const std::unique_ptr<ExifData, Unreference> data(
      exif_data_new_from_data(reinterpret_cast<const unsigned char*>(file.data()), size));
  if (!data) return 1;
  const ExifEntry* entry = exif_content_get_entry(data->ifd[EXIF_IFD_0], EXIF_TAG_ORIENTATION);
  if (entry == nullptr || entry->format != EXIF_FORMAT_SHORT || entry->size < 2) return 1;
  const int orientation = exif_get_short(entry->data, exif_data_get_byte_order(data.get()));
  return orientation >= 1 && orientation <= 8 ? orientation : 1;
}

Image turned_upright(Image image, int orientation) {
  if (orientation < 2 || orientation > 8) return image;
  const bool swaps = orientation >= 5;
  Image result(swaps ? image.width : image.height, swaps ? image.height : image.width,
               image.channels);
  for (int y = 0; y < result.height; ++y) {
    for (int x = 0; x < result.width; ++x) {
      const Place from = stored_place({y, x}, orientation, image.height, image.width);
      std::copy_n(image.at(from.y, from.x), image.channels, result.at(y, x));
    }
  }
  return result;
}

}  // namespace effuse
