#include <zimg.h>

#include <array>
#include <cstdlib>
#include <memory>
#include <new>

#include "core/error.hpp"
#include "core/text.hpp"
#include "image/fit.hpp"

namespace effuse {
namespace {

constexpr std::size_t kAlignment_bytes = 64;

struct FreeMemory {
  void operator()(void* memory) const { std::free(memory); }
};
using AlignedMemory = std::unique_ptr<std::uint8_t, FreeMemory>;

AlignedMemory allocate(std::size_t size_bytes) {
  const std::size_t whole = (size_bytes / kAlignment_bytes + 1) * kAlignment_bytes;
  AlignedMemory memory(static_cast<std::uint8_t*>(std::aligned_alloc(kAlignment_bytes, whole)));
  if (!memory) throw std::bad_alloc();
  return memory;
}

/// One channel, rows aligned as zimg wants them.
struct Plane {
  Plane(int height_px, int width_px)
      : height(height_px),
        width(width_px),
        stride((static_cast<std::size_t>(width_px) + kAlignment_bytes - 1) / kAlignment_bytes *
               kAlignment_bytes),
        memory(allocate(stride * static_cast<std::size_t>(height_px))) {}

  std::uint8_t* row(int y) const { return memory.get() + stride * static_cast<std::size_t>(y); }

  int height;
  int width;
  std::size_t stride;
  AlignedMemory memory;
};

[[noreturn]] void fail() {
  std::array<char, 256> reason{};
  zimg_get_last_error(reason.data(), reason.size());
  zimg_clear_last_error();
  throw DataError(cat("cannot be resized: ", reason.data()));
}

zimg_image_format format_of(const Plane& plane) {
  zimg_image_format format;
  zimg_image_format_default(&format, ZIMG_API_VERSION);
  format.width = static_cast<unsigned>(plane.width);
  format.height = static_cast<unsigned>(plane.height);
  format.pixel_type = ZIMG_PIXEL_BYTE;
  format.pixel_range = ZIMG_RANGE_FULL;
  return format;
}

/// zimg's plan for resizing one plane.
class Resizer {
 public:
  Resizer(const Plane& source, const Plane& target) {
    zimg_graph_builder_params parameters;
    zimg_graph_builder_params_default(&parameters, ZIMG_API_VERSION);
    parameters.resample_filter = ZIMG_RESIZE_BICUBIC;
    parameters.filter_param_a = 0.0;  // b and c of Catmull-Rom
    parameters.filter_param_b = 0.5;
    const zimg_image_format from = format_of(source);
    const zimg_image_format to = format_of(target);
    graph_.reset(zimg_filter_graph_build(&from, &to, &parameters));
    if (!graph_) fail();
    std::size_t scratch_bytes = 0;
    if (zimg_filter_graph_get_tmp_size(graph_.get(), &scratch_bytes) != ZIMG_ERROR_SUCCESS) fail();
    scratch_ = allocate(scratch_bytes);
  }

  void run(const Plane& source, const Plane& target) {
    zimg_image_buffer_const from{};
    from.version = ZIMG_API_VERSION;
    from.plane[0] = {source.memory.get(), static_cast<std::ptrdiff_t>(source.stride),
                     ZIMG_BUFFER_MAX};
    zimg_image_buffer to{};
    to.version = ZIMG_API_VERSION;
    to.plane[0] = {target.memory.get(), static_cast<std::ptrdiff_t>(target.stride),
                   ZIMG_BUFFER_MAX};
    if (zimg_filter_graph_process(graph_.get(), &from, &to, scratch_.get(), nullptr, nullptr,
                                  nullptr, nullptr) != ZIMG_ERROR_SUCCESS) {
      fail();
    }
  }

 private:
  struct FreeGraph {
    void operator()(zimg_filter_graph* graph) const { zimg_filter_graph_free(graph); }
  };
  std::unique_ptr<zimg_filter_graph, FreeGraph> graph_;
  AlignedMemory scratch_;
};

void take_channel(const Image& image, int channel, const Plane& plane) {
  for (int y = 0; y < plane.height; ++y) {
    const std::uint8_t* from = image.at(y, 0) + channel;
    std::uint8_t* to = plane.row(y);
    for (int x = 0; x < plane.width; ++x) to[x] = from[x * image.channels];
  }
}

void put_channel(const Plane& plane, int channel, Image& image) {
  for (int y = 0; y < plane.height; ++y) {
    const std::uint8_t* from = plane.row(y);
    std::uint8_t* to = image.at(y, 0) + channel;
    for (int x = 0; x < plane.width; ++x) to[x * image.channels] = from[x];
  }
}

}  // namespace

Image resize(const Image& image, int height, int width) {
  const Plane source(image.height, image.width);
  const Plane target(height, width);
  Resizer resizer(source, target);
  Image result(height, width, image.channels);
  for (int channel = 0; channel < image.channels; ++channel) {
    take_channel(image, channel, source);
    resizer.run(source, target);
    put_channel(target, channel, result);
  }
  return result;
}

}  // namespace effuse
