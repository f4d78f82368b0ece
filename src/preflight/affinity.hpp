#pragma once

#include <string>
#include <vector>

namespace effuse {

/// "0-3,8" as numbers, ascending. Kernel files and Slurm write sets of cores so.
std::vector<int> parse_cpu_list(const std::string& text);

/// The other way round.
std::string to_cpu_list(const std::vector<int>& cpus);

/// The cores (hardware threads) that this process is bound to, ascending.
std::vector<int> bound_cpus();

/// The cores that the host, or the part of it that the job was given, has; ascending.
std::vector<int> available_cpus();

/// A number of the physical core that `cpu` belongs to: that of its lowest hardware thread.
int physical_core_of(int cpu);

}  // namespace effuse
