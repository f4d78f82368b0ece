#pragma once

#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "comm/communicator.hpp"
#include "comm/session.hpp"
#include "preflight/finding.hpp"

namespace effuse {

/// A rank's place in the job.
struct Place {
  int rank = 0;
  int local_rank = 0;  ///< among the ranks of its host
  int local_size = 1;
  std::string host;
};

/// Of all ranks, by rank.
using Places = std::vector<Place>;

/// Collective.
Places gather_places(Communicator& comm, const Session& session);

/// The ranks of each host, ascending.
std::map<std::string, std::vector<int>> ranks_by_host(const Places& places);

/// Ranks as messages name them: "rank 3 (node-2)", "ranks 0-7, 9 (node-1, node-2)",
/// "all 64 ranks". `ranks` ascending.
std::string name_ranks(const Places& places, std::span<const int> ranks);

/// What one rank has to complain of.
struct Complaint {
  int rank = 0;
  std::string text;
};

/// Complaints as problems: what several ranks say alike is said once, after their names. After
/// eight problems the rest is only counted.
std::vector<Problem> problems_from(const Places& places, std::span<const Complaint> complaints,
                                   Verdict verdict = Verdict::failed);

/// The errors of facts, which all have a member `error`: empty, or why the rest was not found out.
template <class Facts>
std::vector<Complaint> errors_of(const std::vector<Facts>& facts) {
  std::vector<Complaint> complaints;
  for (std::size_t rank = 0; rank < facts.size(); ++rank) {
    if (!facts[rank].error.empty())
      complaints.push_back({static_cast<int>(rank), facts[rank].error});
  }
  return complaints;
}

/// What `work` throws, as a sentence; empty where it throws nothing. So that one rank's trouble
/// becomes a finding, and no other rank waits for it.
std::string error_of(const std::function<void()>& work);

}  // namespace effuse
