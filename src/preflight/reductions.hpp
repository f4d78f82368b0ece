#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "preflight/places.hpp"

namespace effuse {

/// All-reduces of one size at one rank.
struct SizeFacts {
  std::uint64_t size_bytes = 0;
  double seconds = 0.0;  ///< of one, on average
  bool is_right = false;
};

struct ReductionFacts {
  std::string error;
  std::string backend;
  std::vector<SizeFacts> sizes;
};

/// 1 KiB, 4 KiB, 16 KiB, … up to `largest_bytes`.
std::vector<std::uint64_t> reduction_sizes(std::uint64_t largest_bytes);

/// The bandwidth of links that an all-reduce uses, in bytes a second, as nccl-tests define it:
/// size/seconds · 2(ranks − 1)/ranks, which is independent of the number of ranks where each link
/// is used in full. The algorithm's is size/seconds.
double bus_bandwidth(std::uint64_t size_bytes, double seconds, std::size_t ranks);

/// Whether all sums were right, with a table of times and bandwidths, averages over the ranks.
Finding judge_reductions(const Places& places, const std::vector<ReductionFacts>& facts);

/// Collective. All-reduces over the communicator that training will use, which `open` makes. Where
/// that cannot be made, or NCCL fails or meets a deadline, the check has failed, and `host`, by
/// which the ranks tell each other, goes on. Throws CommError where MPI fails: `host` rests on it.
Finding check_reductions(Communicator& host, const Places& places,
                         const std::function<std::unique_ptr<Communicator>()>& open,
                         at::Device device, std::uint64_t largest_bytes);

}  // namespace effuse
