#include "preflight/cgroup.hpp"

#include <algorithm>
#include <fstream>
#include <functional>
#include <optional>
#include <sstream>
#include <vector>

namespace effuse {
namespace {

namespace fs = std::filesystem;

/// How version 1 writes that memory is not limited: a number near the largest.
constexpr double kUnlimited = 1e18;

std::string first_line(const fs::path& file) {
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);
  return line;
}

std::optional<double> number_in(const fs::path& file) {
  std::istringstream in(first_line(file));
  double number = 0;
  if (!(in >> number)) return std::nullopt;  // "max"
  return number;
}

/// The value of `key` in lines of "key value"; 0 where it is not there.
double value_of(const fs::path& file, const std::string& key) {
  std::ifstream in(file);
  double value = 0;
  for (std::string name; in >> name >> value;) {
    if (name == key) return value;
  }
  return 0;
}

/// The names that versions 1 and 2 have for the same things.
struct Names {
  const char* memory_limit;
  const char* memory_used;
  const char* cache;
};
constexpr Names kVersion1{"memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"};
constexpr Names kVersion2{"memory.max", "memory.current", "inactive_file"};

void tighten_memory(CgroupLimits& limits, const fs::path& group, const Names& names) {
  const auto limit = number_in(group / names.memory_limit);
  if (!limit || *limit > kUnlimited) return;
  const double used = number_in(group / names.memory_used).value_or(0) -
                      value_of(group / "memory.stat", names.cache);
  const auto left = static_cast<std::uint64_t>(std::clamp(*limit - used, 0.0, *limit));
  if (limits.memory_bytes != 0 && left >= limits.memory_left_bytes) return;
  limits.memory_bytes = static_cast<std::uint64_t>(*limit);
  limits.memory_left_bytes = left;
}

void tighten_cpus(CgroupLimits& limits, double quota, double period) {
  if (quota <= 0 || period <= 0) return;
  const double cpus = quota / period;
  if (limits.cpus == 0 || cpus < limits.cpus) limits.cpus = cpus;
}

void tighten_version_1(CgroupLimits& limits, const fs::path& group) {
  tighten_memory(limits, group, kVersion1);
  tighten_cpus(limits, number_in(group / "cpu.cfs_quota_us").value_or(0),
               number_in(group / "cpu.cfs_period_us").value_or(0));
  if (limits.cpuset.empty()) limits.cpuset = first_line(group / "cpuset.effective_cpus");
  if (limits.cpuset.empty()) limits.cpuset = first_line(group / "cpuset.cpus");
}

void tighten_version_2(CgroupLimits& limits, const fs::path& group) {
  tighten_memory(limits, group, kVersion2);
  std::istringstream cpu_max(first_line(group / "cpu.max"));
  double quota = 0, period = 0;
  if (cpu_max >> quota >> period) tighten_cpus(limits, quota, period);
  if (limits.cpuset.empty()) limits.cpuset = first_line(group / "cpuset.cpus.effective");
}

/// `group` below `mount` and all groups above it. Inside a container the outer path is not there,
/// and the mount itself is the container's group.
void climb(const fs::path& mount, const fs::path& group,
           const std::function<void(const fs::path&)>& visit) {
  for (fs::path path = group.lexically_normal().relative_path(); !path.empty();
       path = path.parent_path()) {
    if (fs::exists(mount / path)) visit(mount / path);
  }
  visit(mount);
}

}  // namespace

CgroupLimits read_cgroup_limits(const fs::path& root, const std::string& membership) {
  CgroupLimits limits;
  std::istringstream lines(membership);
  for (std::string line; std::getline(lines, line);) {  // "4:memory:/group", "0::/group"
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const fs::path group = line.substr(second + 1);
    if (controllers.empty()) {
      climb(root, group, [&](const fs::path& path) { tighten_version_2(limits, path); });
    } else {
      climb(root / controllers, group,
            [&](const fs::path& path) { tighten_version_1(limits, path); });
    }
  }
  return limits;
}

CgroupLimits own_cgroup_limits() {
  std::ifstream in("/proc/self/cgroup");
  std::ostringstream membership;
  membership << in.rdbuf();
  return read_cgroup_limits("/sys/fs/cgroup", membership.str());
}

}  // namespace effuse
