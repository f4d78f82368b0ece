#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/progress.hpp"
#include "shards/sharded_dataset.hpp"

namespace effuse {

/// An image whose pixels are not those that were packed.
struct DamagedImage {
  std::string shard;      ///< file name
  std::int64_t row = 0;   ///< within the shard
  std::string path;       ///< of the source image
  std::string complaint;  ///< the checksums, or why it cannot be read
};

struct VerifyReport {
  std::int64_t images = 0;  ///< checked
  std::vector<DamagedImage> damaged;
  /// Shards with sound pixels whose SHA-256 is nevertheless another: labels, paths or structure
  /// have changed.
  std::vector<std::string> changed_shards;

  bool sound() const { return damaged.empty() && changed_shards.empty(); }
};

/// Reads everything and compares all checksums.
VerifyReport verify(const ShardedDataset& dataset, ProgressStyle progress);

}  // namespace effuse
