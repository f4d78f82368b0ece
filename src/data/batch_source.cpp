#include "data/batch_source.hpp"

#include <ATen/ops/empty.h>

#include <cstddef>
#include <span>

#include "core/error.hpp"
#include "core/random.hpp"
#include "data/permutation.hpp"
#include "data/share.hpp"

namespace effuse {
BatchSource::BatchSource(const ShardedDataset& dataset, const BatchPlan& plan,
                         DamagedImages* damaged)
    : dataset_(dataset), plan_(plan), damaged_(damaged) {}

Batch BatchSource::read(std::int64_t step) const {
  const Share share = share_of(plan_.batch_size, plan_.rank, plan_.world_size);
  Batch batch;
  batch.step = step;
  const auto options = at::TensorOptions().pinned_memory(plan_.pinned);
  batch.images = at::empty({share.count, dataset_.height(), dataset_.width(), dataset_.channels()},
                           options.dtype(at::kByte));
  batch.labels = at::empty({share.count}, options.dtype(at::kLong));
  if (plan_.flip) batch.mirrored = at::empty({share.count}, options.dtype(at::kBool));
  for (std::int64_t i = 0; i < share.count; ++i) {
    batch.positions.push_back(step * plan_.batch_size + share.first + i);
    read_image(batch, i);
  }
  return batch;
}

std::vector<std::int64_t> BatchSource::global_indices(std::int64_t step) const {
  std::vector<std::int64_t> indices;
  for (std::int64_t i = 0; i < plan_.batch_size; ++i) {
    indices.push_back(index_at(step * plan_.batch_size + i));
  }
  return indices;
}

std::int64_t BatchSource::index_at(std::int64_t position) const {
  const auto place = static_cast<std::uint64_t>(position);
  const auto size = static_cast<std::uint64_t>(dataset_.size());
  const EpochPermutation order(plan_.seed, place / size, size);
  return static_cast<std::int64_t>(order(place % size));
}

void BatchSource::read_image(Batch& batch, std::int64_t place) const {
  const std::int64_t position = batch.positions.back();
  const auto image_bytes = static_cast<std::size_t>(batch.images.stride(0));
  auto* pixels = reinterpret_cast<std::byte*>(batch.images.data_ptr<std::uint8_t>());
  const std::span<std::byte> image(pixels + static_cast<std::size_t>(place) * image_bytes,
                                   image_bytes);
  const std::int64_t index = read_whole(index_at(position), image);
  batch.indices.push_back(index);
  batch.labels.data_ptr<std::int64_t>()[place] = dataset_.label(index);
  if (!plan_.flip) return;
  RandomStream random(plan_.seed, Purpose::flip, static_cast<std::uint64_t>(position));
  batch.mirrored.data_ptr<bool>()[place] = random.uniform() < 0.5;
}

/// Returns the number of the image that was read: `index`, or the first whole one after it.
std::int64_t BatchSource::read_whole(std::int64_t index, std::span<std::byte> pixels) const {
  for (std::int64_t tried = 0; tried < dataset_.size(); ++tried) {
    const std::int64_t candidate = (index + tried) % dataset_.size();
    try {
      if (plan_.verify) {
        dataset_.read_verified(candidate, pixels);
      } else {
        dataset_.read(candidate, pixels);
      }
      return candidate;
    } catch (const DataError& damage) {
      if (damaged_ == nullptr) throw;
      damaged_->add(candidate, damage.what());
    }
  }
  throw DataError("the data set holds no image that is whole");
}

}  // namespace effuse
