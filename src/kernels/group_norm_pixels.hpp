#pragma once

#include <ATen/Parallel.h>

#include <algorithm>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "kernels/group_norm_parts.hpp"
#include "kernels/simd.hpp"

/// channels_last: each pixel is a row of channels. A thread takes all channels of an image, or,
/// where there are fewer images than threads, a span of them. It goes through tiles: some pixels,
/// which stay in the first-level cache, and in them chunks of channels as wide as two vectors, with
/// what it knows of the channels in registers.
namespace effuse::pixel_rows {

constexpr std::int64_t kWidest = 32;  ///< channels of a chunk, with the widest vectors
constexpr std::int64_t kTile = 4096;  ///< numbers of a tile

struct Span {
  std::int64_t image;
  std::int64_t group, groups;      ///< the first, and how many
  std::int64_t channel, channels;  ///< likewise
};

/// The spans of all images.
class Spans {
 public:
  Spans(const GroupNormShape& shape, std::int64_t images)
      : shape_(shape),
        groups_(images >= at::get_num_threads()
                    ? shape.groups
                    : std::min(shape.groups, (kWidest + shape.in_group - 1) / shape.in_group)) {}

  std::int64_t in_image() const { return (shape_.groups + groups_ - 1) / groups_; }

  /// Of a span, filled up to whole chunks.
  std::int64_t most_channels() const {
    return (groups_ * shape_.in_group + kWidest - 1) / kWidest * kWidest;
  }

  Span operator[](std::int64_t i) const {
    const std::int64_t group = i % in_image() * groups_;
    const std::int64_t groups = std::min(groups_, shape_.groups - group);
    return {i / in_image(), group, groups, group * shape_.in_group, groups * shape_.in_group};
  }

 private:
  GroupNormShape shape_;
  std::int64_t groups_;
};

/// Where the numbers of a span begin, in elements of what has them.
struct Offsets {
  Offsets(const Span& span, const GroupNormShape& shape)
      : pixels(span.image * shape.pixels * shape.channels + span.channel),
        weights(span.image * shape.image_stride + span.channel),
        groups(span.image * shape.groups),
        channels(span.image * shape.channels + span.channel) {}

  std::int64_t pixels;    ///< of x and all that is like it
  std::int64_t weights;   ///< of weight and bias
  std::int64_t groups;    ///< of the moments: the image's first group
  std::int64_t channels;  ///< of [N, C]
};

/// Calls run(span, scratch) for all spans, with a scratch = make_scratch(most channels of a span)
/// for each thread.
template <class MakeScratch, class Run>
void for_spans(const GroupNormShape& shape, std::int64_t images, const MakeScratch& make_scratch,
               const Run& run) {
  const Spans spans(shape, images);
  at::parallel_for(0, images * spans.in_image(), 1, [&](std::int64_t begin, std::int64_t end) {
    auto scratch = make_scratch(spans.most_channels());
    for (std::int64_t i = begin; i < end; ++i) run(spans[i], scratch);
  });
}

/// A number for each channel of a span, and room up to whole chunks.
using Numbers = std::vector<float>;
using Totals = std::vector<double>;

/// Puts the numbers of each chunk's channels into the order in which load_two() brings those of T.
template <int w, class T, class OfChannels>
void to_order(OfChannels& numbers) {
  if constexpr (std::is_same_v<T, float>) return;
  OfChannels chunk(2 * w);
  for (auto at = numbers.begin(); at != numbers.end(); at += 2 * w) {
    for (int i = 0; i < w; ++i) {
      chunk[i] = at[2 * i];
      chunk[w + i] = at[2 * i + 1];
    }
    std::copy(chunk.begin(), chunk.end(), at);
  }
}

/// Takes them out of it.
template <int w, class T, class OfChannels>
void from_order(OfChannels& numbers) {
  if constexpr (std::is_same_v<T, float>) return;
  OfChannels chunk(2 * w);
  for (auto at = numbers.begin(); at != numbers.end(); at += 2 * w) {
    std::copy_n(at, 2 * w, chunk.begin());
    for (int i = 0; i < w; ++i) {
      at[2 * i] = chunk[i];
      at[2 * i + 1] = chunk[w + i];
    }
  }
}

/// Some channels of a span in some pixels.
struct Chunk {
  std::int64_t first, count;  ///< channels
  std::int64_t begin, end;    ///< pixels
  std::int64_t stride;        ///< from one pixel to the next
};

/// Calls run(chunk) for all chunks of all tiles. The tiles are the same whatever the span.
template <int w, class Run>
EFFUSE_INLINE inline void for_chunks(const Span& span, const GroupNormShape& shape,
                                     const Run& run) {
  const std::int64_t pixels = std::max<std::int64_t>(kTile / shape.channels, 1);
  for (std::int64_t begin = 0; begin < shape.pixels; begin += pixels) {
    const std::int64_t end = std::min(begin + pixels, shape.pixels);
    for (std::int64_t c = 0; c < span.channels; c += 2 * w) {
      run(Chunk{c, std::min<std::int64_t>(2 * w, span.channels - c), begin, end, shape.channels});
    }
  }
}

/// The numbers of a chunk's channels.
template <int w>
EFFUSE_INLINE inline Two<w> numbers_of(const Chunk& chunk, const Numbers& numbers) {
  return load_two<w>(numbers.data() + chunk.first);
}

/// Adds numbers to those of the chunk's channels.
template <int w>
EFFUSE_INLINE inline void add_to(const Chunk& chunk, Two<w> x, Totals& totals) {
  double* const to = totals.data() + chunk.first;
  for (int i = 0; i < w; ++i) {
    to[i] += static_cast<double>(x.a[i]);
    to[w + i] += static_cast<double>(x.b[i]);
  }
}

template <int w, class T>
EFFUSE_INLINE inline Two<w> load_pixel(const T* from, const Chunk& chunk) {
  return chunk.count == 2 * w ? load_two<w>(from) : load_some<w>(from, chunk.count);
}

template <int w, class T>
EFFUSE_INLINE inline void store_pixel(T* to, Two<w> x, const Chunk& chunk) {
  chunk.count == 2 * w ? store_two<w>(to, x) : store_some<w>(to, x, chunk.count);
}

/// Adds the sum of of(x) over the chunk's pixels to the totals of its channels.
template <int w, class T, class Of>
EFFUSE_INLINE inline void add_up(const T* x, const Chunk& chunk, Totals& totals, const Of& of) {
  Two<w> sum = {};
  for (std::int64_t i = chunk.begin; i < chunk.end; ++i) {
    const Two<w> y = of(load_pixel<w>(x + chunk.first + i * chunk.stride, chunk));
    sum.a += y.a;
    sum.b += y.b;
  }
  add_to<w>(chunk, sum, totals);
}

/// Calls run(first channel of the span's group, its number in the image).
template <class Run>
void for_groups(const Span& span, const GroupNormShape& shape, const Run& run) {
  for (std::int64_t g = 0; g < span.groups; ++g) run(g * shape.in_group, span.group + g);
}

}  // namespace effuse::pixel_rows
