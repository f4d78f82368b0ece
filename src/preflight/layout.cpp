#include "preflight/layout.hpp"

#include <algorithm>

#include "core/text.hpp"

namespace effuse {
namespace {

/// The commonest number of ranks a host; of several the largest.
std::size_t usual_number(const std::map<std::string, std::vector<int>>& hosts) {
  std::map<std::size_t, int> hosts_with;
  for (const auto& [host, ranks] : hosts) ++hosts_with[ranks.size()];
  const auto rarer = [](const auto& a, const auto& b) {
    return std::pair(a.second, a.first) < std::pair(b.second, b.first);
  };
  return std::max_element(hosts_with.begin(), hosts_with.end(), rarer)->first;
}

void find_uneven(Finding& finding, const Places& places) {
  const auto hosts = ranks_by_host(places);
  const std::size_t usual = usual_number(hosts);
  std::vector<Complaint> complaints;
  for (const auto& [host, ranks] : hosts) {
    if (ranks.size() == usual) continue;
    for (const int rank : ranks) {
      complaints.push_back(
          {rank,
           cat("their host has ", ranks.size(), " of the ranks, where the others have ", usual,
               " (all ranks get equal work, so a fuller host keeps the others "
               "waiting). Ask for --ntasks-per-node, or mpirun --map-by ppr:N:node.")});
    }
  }
  finding.add(problems_from(places, complaints, Verdict::warning));
}

/// Ranks of a host, counted from its first one: equal at all hosts where ranks are dealt out in
/// order, in blocks or in turns.
void find_irregular(Finding& finding, const Places& places) {
  const auto hosts = ranks_by_host(places);
  const auto steps = [](std::vector<int> ranks) {
    const int first = ranks.front();
    for (int& rank : ranks) rank -= first;
    return ranks;
  };
  const std::vector<int> usual = steps(hosts.begin()->second);
  for (const auto& [host, ranks] : hosts) {
    if (ranks.size() != usual.size() || steps(ranks) == usual) continue;
    finding.problems.push_back(
        {Verdict::warning,
         cat(name_ranks(places, ranks),
             ": their numbers do not follow on each other as those of "
             "the other hosts do (neighbours in collectives are then on different hosts). Start "
             "with srun --distribution=block, or mpirun --map-by slot.")});
  }
}

/// Hosts that name themselves alike cannot be told apart here, nor in any log.
void find_namesakes(Finding& finding, const Places& places) {
  std::vector<Complaint> complaints;
  const auto hosts = ranks_by_host(places);
  for (const Place& place : places) {
    const std::size_t named_so = hosts.at(place.host).size();
    if (static_cast<std::size_t>(place.local_size) == named_so) continue;
    complaints.push_back(
        {place.rank, cat("share memory with ", place.local_size, " ranks, but ", named_so,
                         " ranks are on a host of this name (several machines or containers have "
                         "one name, so that messages cannot tell them apart). Give each its own "
                         "hostname.")});
  }
  finding.add(problems_from(places, complaints, Verdict::warning));
}

}  // namespace

Finding judge_layout(const Places& places) {
  const auto hosts = ranks_by_host(places);
  std::size_t fewest = places.size(), most = 0;
  for (const auto& [host, ranks] : hosts) {
    fewest = std::min(fewest, ranks.size());
    most = std::max(most, ranks.size());
  }
  Finding finding{.check = "ranks"};
  finding.result = cat(places.size(), places.size() == 1 ? " rank" : " ranks", " on ", hosts.size(),
                       hosts.size() == 1 ? " host" : " hosts");
  if (hosts.size() == 1) {
    finding.result += cat(", ", places.front().host);
  } else {
    finding.result +=
        fewest == most ? cat(", ", most, " on each") : cat(", ", fewest, " to ", most, " on each");
  }
  find_uneven(finding, places);
  find_irregular(finding, places);
  find_namesakes(finding, places);
  return finding;
}

}  // namespace effuse
