#pragma once

#include <cstdint>

#include "preflight/places.hpp"

namespace effuse {

/// Main memory as one rank sees it.
struct MemoryFacts {
  std::uint64_t total_bytes = 0;      ///< of the host
  std::uint64_t available_bytes = 0;  ///< of that, not in use; caches count as not in use
  std::uint64_t limit_bytes = 0;      ///< what its job or container may use; 0: all
  std::uint64_t left_bytes = 0;       ///< of the limit, not in use
};

MemoryFacts find_memory();

/// Warns of hosts that have less than a GiB for each of their ranks.
Finding judge_memory(const Places& places, const std::vector<MemoryFacts>& facts);

/// Collective.
Finding check_memory(Communicator& comm, const Places& places);

}  // namespace effuse
