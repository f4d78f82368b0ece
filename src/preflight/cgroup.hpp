#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace effuse {

/// What the control groups of a process (Slurm's, a container's) leave it: the least of its own
/// group and of those above it.
struct CgroupLimits {
  double cpus = 0.0;                    ///< computing time, in cores; 0: not limited
  std::string cpuset;                   ///< cores as "0-3,8"; empty: not limited
  std::uint64_t memory_bytes = 0;       ///< 0: not limited
  std::uint64_t memory_left_bytes = 0;  ///< of that, not in use; caches count as not in use
};

/// Of version 1 and version 2, mounted at `root`. `membership` is the content of
/// /proc/self/cgroup. What cannot be read is not limited.
CgroupLimits read_cgroup_limits(const std::filesystem::path& root, const std::string& membership);

/// Of this process.
CgroupLimits own_cgroup_limits();

}  // namespace effuse
