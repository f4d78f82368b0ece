#include "preflight/affinity.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>

#include "core/text.hpp"
#include "preflight/cgroup.hpp"

namespace effuse {
namespace {

std::string first_line(const std::string& file) {
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);
  return line;
}

}  // namespace

std::vector<int> parse_cpu_list(const std::string& text) {
  std::vector<int> cpus;
  std::istringstream parts(text);
  for (std::string part; std::getline(parts, part, ',');) {
    std::istringstream range(part);
    int first = 0, last = 0;
    char dash = 0;
    if (!(range >> first)) continue;
    if (!(range >> dash >> last)) last = first;
    for (int cpu = first; cpu <= last; ++cpu) cpus.push_back(cpu);
  }
  std::sort(cpus.begin(), cpus.end());
  cpus.erase(std::unique(cpus.begin(), cpus.end()), cpus.end());
  return cpus;
}

std::string to_cpu_list(const std::vector<int>& cpus) {
  std::string text;
  for (std::size_t begin = 0; begin < cpus.size();) {
    std::size_t end = begin + 1;
    while (end < cpus.size() && cpus[end] == cpus[end - 1] + 1) ++end;
    text += cat(begin == 0 ? "" : ",", cpus[begin]);
    if (end - begin > 1) text += cat("-", cpus[end - 1]);
    begin = end;
  }
  return text;
}

std::vector<int> bound_cpus() {
  // Not sched_getaffinity(), whose set ends at 1024 and whose answer is this thread's.
  constexpr const char* kKey = "Cpus_allowed_list:";
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(kKey)) return parse_cpu_list(line.substr(std::string(kKey).size()));
  }
  return {};
}

std::vector<int> available_cpus() {
  const std::string cpuset = own_cgroup_limits().cpuset;
  const auto online = parse_cpu_list(first_line("/sys/devices/system/cpu/online"));
  if (cpuset.empty()) return online;
  const auto given = parse_cpu_list(cpuset);
  std::vector<int> both;
  std::set_intersection(online.begin(), online.end(), given.begin(), given.end(),
                        std::back_inserter(both));
  return both;
}

int physical_core_of(int cpu) {
  const auto siblings = parse_cpu_list(
      first_line(cat("/sys/devices/system/cpu/cpu", cpu, "/topology/thread_siblings_list")));
  return siblings.empty() ? cpu : siblings.front();
}

}  // namespace effuse
