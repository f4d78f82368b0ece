#include "preflight/memory.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>

#include "core/text.hpp"
#include "preflight/cgroup.hpp"
#include "preflight/gather.hpp"

namespace effuse {
namespace {

/// libtorch and MPI alone take half of it.
constexpr std::uint64_t kLeastBytes = std::uint64_t{1} << 30;

/// "MemAvailable:   22996136 kB"; 0 where there is no such line.
std::uint64_t meminfo(const std::string& key) {
  std::ifstream in("/proc/meminfo");
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    std::string name;
    std::uint64_t kib = 0;
    if (words >> name >> kib && name == key + ":") return kib * 1024;
  }
  return 0;
}

std::uint64_t usable(const MemoryFacts& facts) {
  return facts.limit_bytes == 0 ? facts.available_bytes
                                : std::min(facts.available_bytes, facts.left_bytes);
}

}  // namespace

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(MemoryFacts, total_bytes, available_bytes, limit_bytes,
                                   left_bytes)

MemoryFacts find_memory() {
  const CgroupLimits limits = own_cgroup_limits();
  return {meminfo("MemTotal"), meminfo("MemAvailable"), limits.memory_bytes,
          limits.memory_left_bytes};
}

Finding judge_memory(const Places& places, const std::vector<MemoryFacts>& facts) {
  Finding finding{.check = "memory"};
  std::vector<Complaint> complaints;
  std::uint64_t least_a_rank = UINT64_MAX;
  for (const auto& [host, ranks] : ranks_by_host(places)) {
    const MemoryFacts& of_host = facts[static_cast<std::size_t>(ranks.front())];
    const std::uint64_t a_rank = usable(of_host) / ranks.size();
    if (a_rank < least_a_rank) {
      least_a_rank = a_rank;
      finding.result = cat(
          human_bytes(usable(of_host)), " of ", human_bytes(of_host.total_bytes), " free",
          of_host.limit_bytes == 0 ? ""
                                   : cat(" within a limit of ", human_bytes(of_host.limit_bytes)),
          ", ", human_bytes(a_rank), " a rank",
          places.size() == ranks.size() ? "" : cat("; that is the least, on ", host));
    }
    if (a_rank >= kLeastBytes) continue;
    for (const int rank : ranks) {
      complaints.push_back(
          {rank, cat(human_bytes(usable(of_host)), " of memory for ", ranks.size(),
                     ranks.size() == 1 ? " rank" : " ranks",
                     " (a rank takes half a GiB before it holds a model). Ask for more (--mem), or "
                     "start fewer ranks a host.")});
    }
  }
  finding.add(problems_from(places, complaints, Verdict::warning));
  return finding;
}

Finding check_memory(Communicator& comm, const Places& places) {
  return judge_memory(places, gather(comm, find_memory()));
}

}  // namespace effuse
