#include "evaluation/batch_reader.hpp"

#include <ATen/ATen.h>

#include <algorithm>

#include "core/error.hpp"
#include "core/text.hpp"

namespace effuse {
namespace {

constexpr int kRgb = 3;

}  // namespace

BatchReader::BatchReader(const ImageSource& source) : source_(source) {
  const Image first = source.image(0);
  height_ = first.height;
  width_ = first.width;
}

void BatchReader::require_size(const Image& image, std::int64_t index) const {
  if (image.height == height_ && image.width == width_) return;
  throw DataError(cat("images of different sizes cannot be scored together: ", source_.place(0),
                      " is ", width_, "x", height_, ", ", source_.place(index), " is ", image.width,
                      "x", image.height,
                      " (how they are made equal would decide the score). Pack them "
                      "with effuse-pack, or sort them out."));
}

at::Tensor BatchReader::read(std::int64_t first, std::int64_t wanted, std::int64_t batch) const {
  const at::Tensor images = at::empty({batch, height_, width_, kRgb}, at::kByte);
  auto* out = images.mutable_data_ptr<std::uint8_t>();
  Image image;
  for (std::int64_t i = 0; i < batch; ++i) {
    if (i < wanted) {
      image = with_channels(source_.image(first + i), kRgb);
      require_size(image, first + i);
    }
    out = std::copy(image.pixels.begin(), image.pixels.end(), out);
  }
  return images;
}

}  // namespace effuse
