#include "core/process_age.hpp"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>

namespace effuse {

double process_age_s() {
  // proc(5): the process's name, which may hold anything, is in brackets; field 22 is when it
  // began, in clock ticks since boot.
  std::ifstream stat_file("/proc/self/stat");
  std::string stat;
  std::getline(stat_file, stat);
  double uptime_s = 0.0;
  std::ifstream("/proc/uptime") >> uptime_s;
  const std::size_t bracket = stat.rfind(')');
  if (bracket == std::string::npos) return 0.0;
  std::istringstream fields(stat.substr(bracket + 1));
  std::string skipped;
  for (int field = 3; field < 22; ++field) fields >> skipped;
  double began_ticks = 0.0;
  if (!(fields >> began_ticks)) return 0.0;
  const double began_s = began_ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
  return std::max(0.0, uptime_s - began_s);
}

}  // namespace effuse
