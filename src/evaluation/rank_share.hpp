#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "comm/communicator.hpp"
#include "core/index_range.hpp"

namespace effuse {

/// What of `count` falls to a rank: a run of whole tiles, so that tiles are the same at any number
/// of ranks.
IndexRange range_of_rank(std::int64_t count, std::int64_t tile, int rank, int world_size);

/// In as many rounds, a tile a rank, all ranks are done.
std::int64_t most_tiles_of_a_rank(std::int64_t count, std::int64_t tile, int world_size);

/// A table whose rows lie with the ranks, each holding those of its range_of_rank().
struct SharedRows {
  at::Tensor mine;  ///< [range_of_rank().count(), ...] on the CPU, also where that is 0; undefined:
                    ///< there is no table
  std::int64_t count = 0;
  std::int64_t tile = 1;

  bool defined() const { return mine.defined(); }

  /// Collective. The whole table, [count, ...] on the CPU, at every rank.
  at::Tensor gather(Communicator& comm, at::Device device) const;
};

}  // namespace effuse
