#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "core/progress.hpp"
#include "shards/sharded_dataset.hpp"

namespace effuse {

/// How often each of the 256 values occurs in one channel, over all images of a data set.
struct ChannelStatistics {
  std::array<std::uint64_t, 256> histogram{};

  /// Of values in [0, 1]; exact up to double rounding. The deviation is that of the population.
  double mean() const;
  double deviation() const;
};

struct DatasetStatistics {
  std::vector<std::int64_t> images_of_class;
  std::vector<ChannelStatistics> channels;
};

/// Reads every image. Throws DataError where one cannot be read.
DatasetStatistics compute_statistics(const ShardedDataset& dataset, ProgressStyle progress);

}  // namespace effuse
