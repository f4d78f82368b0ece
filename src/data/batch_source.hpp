#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "data/batch.hpp"
#include "data/damaged_images.hpp"
#include "shards/sharded_dataset.hpp"

namespace effuse {

/// What makes the order of training data: a pure function of these and of the batch's number.
struct BatchPlan {
  std::uint64_t seed = 0;
  std::int64_t batch_size = 1;  ///< global
  int rank = 0;
  int world_size = 1;
  bool flip = false;  ///< mirror each image with probability one half: says which, in the batch
  bool verify = true;
  bool pinned = false;  ///< in memory from which a GPU copies while the host goes on
};

/// Reads any batch by its number: the endless stream of epochs, each its own permutation, cut into
/// batches; batch k holds positions [k·B, (k+1)·B). Thread-safe: holds no state but the plan.
class BatchSource {
 public:
  /// `dataset` and `damaged` must outlive this; without `damaged` no damage is put up with.
  BatchSource(const ShardedDataset& dataset, const BatchPlan& plan,
              DamagedImages* damaged = nullptr);

  /// This rank's share of batch `step`. In place of a damaged image comes the next whole one in the
  /// data set, the same at any number of ranks, with that one's label; batch.indices says which.
  /// Throws DataError for damage that `damaged` does not take.
  Batch read(std::int64_t step) const;

  std::int64_t batch_size() const { return plan_.batch_size; }

  /// The images of the whole batch `step`, by their numbers in the data set.
  std::vector<std::int64_t> global_indices(std::int64_t step) const;

 private:
  std::int64_t index_at(std::int64_t position) const;
  void read_image(Batch& batch, std::int64_t place) const;
  std::int64_t read_whole(std::int64_t index, std::span<std::byte> pixels) const;

  const ShardedDataset& dataset_;
  BatchPlan plan_;
  DamagedImages* damaged_;
};

}  // namespace effuse
