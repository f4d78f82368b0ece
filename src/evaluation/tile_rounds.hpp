#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <string>

#include "comm/communicator.hpp"
#include "core/index_range.hpp"
#include "core/progress.hpp"

namespace effuse {

/// A set that the ranks go through together, each its range_of_rank(), a tile a round.
struct TileRounds {
  std::string task;  ///< what progress calls it
  std::int64_t count = 0;
  std::int64_t tile = 1;
  ProgressStyle progress = ProgressStyle::silent;
};

/// Collective. Calls work() for each of this rank's tiles, in order. What it throws at one rank is
/// thrown as AgreedError at all. False, with the rest left, where a rank was asked to stop before a
/// round.
bool go_through_tiles(const TileRounds& rounds, Communicator& comm, at::Device device,
                      const std::function<void(const IndexRange& tile)>& work);

}  // namespace effuse
