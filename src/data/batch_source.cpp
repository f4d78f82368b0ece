#include "data/batch_source.hpp"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <cstddef>
#include <span>

#include "core/random.hpp"
#include "data/permutation.hpp"
#include "data/share.hpp"

namespace effuse {
namespace {

/// Mirrors one image [H, W, C] left to right.
void mirror(std::span<std::byte> pixels, std::size_t width, std::size_t channels) {
  const std::size_t row_bytes = width * channels;
  for (std::size_t row = 0; row < pixels.size(); row += row_bytes) {
    for (std::size_t left = 0, right = width - 1; left < right; ++left, --right) {
      std::swap_ranges(&pixels[row + left * channels], &pixels[row + left * channels] + channels,
                       &pixels[row + right * channels]);
    }
  }
}

}  // namespace

BatchSource::BatchSource(const ShardedDataset& dataset, const BatchPlan& plan)
    : dataset_(dataset), plan_(plan) {}

Batch BatchSource::read(std::int64_t step) const {
  const Share share = share_of(plan_.batch_size, plan_.rank, plan_.world_size);
  Batch batch;
  batch.step = step;
  batch.images =
      at::empty({share.count, dataset_.height(), dataset_.width(), dataset_.channels()}, at::kByte);
  batch.labels = at::empty({share.count}, at::kLong);
  for (std::int64_t i = 0; i < share.count; ++i) {
    batch.positions.push_back(step * plan_.batch_size + share.first + i);
    read_image(batch, i);
  }
  return batch;
}

void BatchSource::read_image(Batch& batch, std::int64_t place) const {
  const auto position = static_cast<std::uint64_t>(batch.positions.back());
  const auto size = static_cast<std::uint64_t>(dataset_.size());
  const EpochPermutation order(plan_.seed, position / size, size);
  const auto index = static_cast<std::int64_t>(order(position % size));
  batch.indices.push_back(index);
  batch.labels.data_ptr<std::int64_t>()[place] = dataset_.label(index);

  const auto image_bytes = static_cast<std::size_t>(batch.images.stride(0));
  auto* pixels = reinterpret_cast<std::byte*>(batch.images.data_ptr<std::uint8_t>());
  const std::span<std::byte> image(pixels + static_cast<std::size_t>(place) * image_bytes,
                                   image_bytes);
  if (plan_.verify) {
    dataset_.read_verified(index, image);
  } else {
    dataset_.read(index, image);
  }
  if (plan_.flip && RandomStream(plan_.seed, Purpose::flip, position).uniform() < 0.5) {
    mirror(image, static_cast<std::size_t>(dataset_.width()),
           static_cast<std::size_t>(dataset_.channels()));
  }
}

}  // namespace effuse
