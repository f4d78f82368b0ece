#pragma once

#include <cstdint>

#include "core/progress.hpp"
#include "preflight/places.hpp"
#include "preflight/shard_share.hpp"

namespace effuse {

/// The data set as one rank sees it.
struct DataFacts {
  std::string error;  ///< of its manifest
  std::string fingerprint;
  std::int64_t images = 0;  ///< of the whole data set
  std::int64_t shards = 0;
  std::int64_t files_allowed = 0;  ///< that this process may have open at once
  ShareResult share;
};

/// Whether all shards can be opened and hold what was packed, and are the same at all ranks.
Finding judge_data(const Places& places, const std::vector<DataFacts>& facts);

/// Collective. The shards are dealt out over the ranks, each reads its part; one rank of each host
/// opens all. Where a rank is asked to stop, all end early.
Finding check_data(Communicator& comm, const Places& places, const std::string& folder,
                   ProgressStyle progress);

/// Where there is no data set to look at.
Finding data_left_out();

}  // namespace effuse
