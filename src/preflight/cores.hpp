#pragma once

#include "preflight/places.hpp"

namespace effuse {

/// What one rank may compute with. A core is what the kernel counts as one: a hardware thread.
struct CoreFacts {
  std::vector<int> cpus;       ///< cores it is bound to, ascending
  std::vector<int> physical;   ///< of each of them, a number of its physical core
  std::vector<int> available;  ///< cores that its host has for the job, ascending
  int available_physical = 0;  ///< physical cores among those
  double quota = 0.0;          ///< computing time that a container allows, in cores; 0: any
  int threads = 1;             ///< compute threads it will start
};

CoreFacts find_cores(int threads);

/// Whether the ranks of each host have enough cores of their own.
///
/// Ranks that share cores, directly or through others, are looked at together. They fail where they
/// were bound to fewer cores than they are. They are warned of where ranks or threads are more than
/// the cores, where hardware threads of one core went to several of them, where half of the host or
/// more is idle, and where a container does not allow so many threads.
Finding judge_cores(const Places& places, const std::vector<CoreFacts>& facts);

/// Collective.
Finding check_cores(Communicator& comm, const Places& places, int threads);

}  // namespace effuse
