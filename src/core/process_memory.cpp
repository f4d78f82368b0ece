#include "core/process_memory.hpp"

#include <unistd.h>

#include <fstream>

namespace effuse {

double resident_bytes() {
  // proc(5): all pages, then those that are resident.
  std::ifstream statm("/proc/self/statm");
  double all = 0.0, resident = 0.0;
  if (!(statm >> all >> resident)) return 0.0;
  return resident * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

}  // namespace effuse
