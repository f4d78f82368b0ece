#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>

#include "comm/communicator.hpp"
#include "core/index_range.hpp"

namespace effuse {

/// A table whose rows lie with the ranks, each holding those of its range_of_rank(). The features
/// of 50,000 images take 410 MB: no rank has to hold them all.
struct SharedRows {
  at::Tensor mine;  ///< [range_of_rank().count(), ...] on the CPU, also where that is 0; undefined:
                    ///< there is no table
  std::int64_t count = 0;
  std::int64_t tile = 1;

  bool defined() const { return mine.defined(); }
  std::int64_t columns() const { return mine.size(1); }

  /// Which of the rows lie with this rank.
  IndexRange range(const Communicator& comm) const;

  /// Collective. Some rows at every rank, [range.count(), ...] on the CPU. `device` is where the
  /// communicator works.
  at::Tensor rows(const IndexRange& range, Communicator& comm, at::Device device) const;

  /// Collective. The rows of `places`, which are the same at all ranks, [places.size(), ...].
  at::Tensor pick(std::span<const std::int64_t> places, Communicator& comm,
                  at::Device device) const;
};

/// Each rank's rows of a table that all of them hold.
SharedRows share_rows(const at::Tensor& table, std::int64_t tile, const Communicator& comm);

}  // namespace effuse
