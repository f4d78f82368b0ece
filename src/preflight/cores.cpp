#include "preflight/cores.hpp"

#include <algorithm>
#include <set>

#include "core/text.hpp"
#include "preflight/affinity.hpp"
#include "preflight/cgroup.hpp"
#include "preflight/gather.hpp"

namespace effuse {
namespace {

constexpr const char* kBindAdvice =
    "Give each rank cores of its own: srun --cpus-per-task=N --cpu-bind=cores, or mpirun --map-by "
    "slot:PE=N --bind-to core.";

/// Ranks of one host that share cores with each other and with no one else.
struct Group {
  std::vector<int> ranks;
  std::set<int> cpus;
  int threads = 0;
};

/// Complaints of all hosts, so that what several hosts have in common is said once.
class CoreJudge {
 public:
  explicit CoreJudge(const std::vector<CoreFacts>& facts) : facts_(facts) {}

  void judge_host(const std::vector<int>& ranks);
  void add_to(Finding& finding, const Places& places) const {
    finding.add(problems_from(places, failures_, Verdict::failed));
    finding.add(problems_from(places, warnings_, Verdict::warning));
  }

 private:
  const CoreFacts& of(int rank) const { return facts_[static_cast<std::size_t>(rank)]; }
  std::vector<Group> groups_of(const std::vector<int>& ranks) const;
  void judge_group(const Group& group);
  void judge_hardware_threads(const std::vector<Group>& groups);
  void judge_idle(const std::vector<int>& ranks);
  void judge_quota(const std::vector<int>& ranks);

  static void say(std::vector<Complaint>& complaints, const std::vector<int>& ranks,
                  const std::string& text) {
    for (const int rank : ranks) complaints.push_back({rank, text});
  }

  const std::vector<CoreFacts>& facts_;
  std::vector<Complaint> failures_;
  std::vector<Complaint> warnings_;
};

std::vector<Group> CoreJudge::groups_of(const std::vector<int>& ranks) const {
  std::vector<Group> groups;
  for (const int rank : ranks) {
    const CoreFacts& own = of(rank);
    Group joined{{rank}, {own.cpus.begin(), own.cpus.end()}, own.threads};
    std::vector<Group> apart;
    for (Group& group : groups) {
      const bool shares = std::any_of(own.cpus.begin(), own.cpus.end(),
                                      [&](int cpu) { return group.cpus.contains(cpu); });
      if (!shares) {
        apart.push_back(std::move(group));
        continue;
      }
      joined.ranks.insert(joined.ranks.end(), group.ranks.begin(), group.ranks.end());
      joined.cpus.merge(group.cpus);
      joined.threads += group.threads;
    }
    apart.push_back(std::move(joined));
    groups = std::move(apart);
  }
  return groups;
}

void CoreJudge::judge_host(const std::vector<int>& ranks) {
  const std::vector<Group> groups = groups_of(ranks);
  const std::size_t failures = failures_.size();
  for (const Group& group : groups) judge_group(group);
  judge_hardware_threads(groups);
  if (failures_.size() == failures) judge_idle(ranks);  // else the advice is the same
  judge_quota(ranks);
}

void CoreJudge::judge_group(const Group& group) {
  const std::vector<int> cpus(group.cpus.begin(), group.cpus.end());
  const std::vector<int>& available = of(group.ranks.front()).available;
  const std::string cores = cat(cpus.size() == 1 ? "core " : "cores ", to_cpu_list(cpus));
  if (group.ranks.size() > cpus.size() && cpus == available) {
    say(warnings_, group.ranks,
        cat("share ", cores, ", all there are, among ", group.ranks.size(),
            " ranks (each computes while another waits). Start fewer ranks, or ask for more "
            "cores: --cpus-per-task."));
  } else if (group.ranks.size() > cpus.size()) {
    say(failures_, group.ranks,
        cat(group.ranks.size(), " ranks bound together to ", cores, ", where the host has ",
            available.size(), " (each waits while another computes). ", kBindAdvice));
  } else if (static_cast<std::size_t>(group.threads) > cpus.size()) {
    say(warnings_, group.ranks,
        cat(group.threads, " compute threads share ", cores,
            " (threads that take turns are slower than fewer threads). Lower parallel.threads, or "
            "ask for more cores: --cpus-per-task."));
  }
}

void CoreJudge::judge_hardware_threads(const std::vector<Group>& groups) {
  std::map<int, std::set<std::size_t>> groups_on;  // of each physical core
  for (std::size_t g = 0; g < groups.size(); ++g) {
    for (const int rank : groups[g].ranks) {
      for (const int core : of(rank).physical) groups_on[core].insert(g);
    }
  }
  std::set<int> ranks;
  for (const auto& [core, on] : groups_on) {
    if (on.size() == 1) continue;
    for (const std::size_t g : on) ranks.insert(groups[g].ranks.begin(), groups[g].ranks.end());
  }
  say(warnings_, {ranks.begin(), ranks.end()},
      cat("hardware threads of one physical core belong to different ranks (together they compute "
          "little more than one). Ask Slurm for --hint=nomultithread, or start with mpirun "
          "--bind-to core."));
}

void CoreJudge::judge_idle(const std::vector<int>& ranks) {
  std::set<int> used;
  for (const int rank : ranks) used.insert(of(rank).physical.begin(), of(rank).physical.end());
  const int available = of(ranks.front()).available_physical;
  if (2 * used.size() > static_cast<std::size_t>(available)) return;
  say(warnings_, ranks,
      cat("their host has ", available, " cores and they are bound to ", used.size(),
          " of them (mpirun binds each of one or two ranks to a single core unless told "
          "otherwise). ",
          kBindAdvice));
}

void CoreJudge::judge_quota(const std::vector<int>& ranks) {
  const double quota = of(ranks.front()).quota;
  int threads = 0;
  for (const int rank : ranks) threads += of(rank).threads;
  if (quota == 0 || threads <= quota + 0.5) return;
  say(warnings_, ranks,
      cat(threads, " compute threads where the container may use ", fixed(quota, 1),
          " cores (they are stopped for part of the time). Lower parallel.threads, or give the "
          "container more: --cpus."));
}

/// "4", "2 to 4".
template <class Number>
std::string span_of(const std::vector<CoreFacts>& facts, const Number& number) {
  const auto less = [&](const CoreFacts& a, const CoreFacts& b) { return number(a) < number(b); };
  const auto [low, high] = std::minmax_element(facts.begin(), facts.end(), less);
  return number(*low) == number(*high) ? cat(number(*low))
                                       : cat(number(*low), " to ", number(*high));
}

}  // namespace

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(CoreFacts, cpus, physical, available, available_physical, quota,
                                   threads)

CoreFacts find_cores(int threads) {
  CoreFacts facts;
  facts.cpus = bound_cpus();
  for (const int cpu : facts.cpus) facts.physical.push_back(physical_core_of(cpu));
  facts.available = available_cpus();
  std::set<int> cores;
  for (const int cpu : facts.available) cores.insert(physical_core_of(cpu));
  facts.available_physical = static_cast<int>(cores.size());
  facts.quota = own_cgroup_limits().cpus;
  facts.threads = threads;
  return facts;
}

Finding judge_cores(const Places& places, const std::vector<CoreFacts>& facts) {
  Finding finding{.check = "cores"};
  const std::string threads = span_of(facts, [](const CoreFacts& f) { return f.threads; });
  finding.result = cat(span_of(facts, [](const CoreFacts& f) { return f.cpus.size(); }), " of ",
                       span_of(facts, [](const CoreFacts& f) { return f.available.size(); }),
                       " cores and ", threads, threads == "1" ? " thread" : " threads", " a rank");
  CoreJudge judge(facts);
  for (const auto& [host, ranks] : ranks_by_host(places)) judge.judge_host(ranks);
  judge.add_to(finding, places);
  return finding;
}

Finding check_cores(Communicator& comm, const Places& places, int threads) {
  return judge_cores(places, gather(comm, find_cores(threads)));
}

}  // namespace effuse
