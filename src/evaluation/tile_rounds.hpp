#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <string>

#include "comm/communicator.hpp"
#include "core/index_range.hpp"
#include "core/progress.hpp"

namespace effuse {

/// What all ranks together are done with.
struct TilesDone {
  std::int64_t images = 0;
  std::int64_t tiles = 0;
};

using TileReport = std::function<void(const TilesDone&)>;

/// A set that the ranks go through together, each its range_of_rank(), a tile a round.
struct TileRounds {
  std::int64_t count = 0;
  std::int64_t tile = 1;
  TileReport report;  ///< before the first round and after each, at the ranks that have one
};

/// Says it on stderr: `task` is what progress calls it, `count` the images of the set.
TileReport show_progress(const std::string& task, std::int64_t count, ProgressStyle style);

/// Collective. Calls work() for each of this rank's tiles, in order. What it throws at one rank is
/// thrown as AgreedError at all. False, with the rest left, where a rank was asked to stop; work()
/// may then leave its tile, too.
bool go_through_tiles(const TileRounds& set, Communicator& comm, at::Device device,
                      const std::function<void(const IndexRange& tile)>& work);

}  // namespace effuse
