#include "core/heap.hpp"

#include <malloc.h>

#include <cstdlib>
#include <cstring>
#include <limits>

namespace effuse {

void keep_freed_memory() {
#ifdef __GLIBC__
  const char* const tunables = std::getenv("GLIBC_TUNABLES");
  if (tunables != nullptr && std::strstr(tunables, "glibc.malloc.") != nullptr) return;
  constexpr int kMostOfHeap = 32 << 20;  // what glibc allows; larger blocks are mapped
  if (std::getenv("MALLOC_MMAP_THRESHOLD_") == nullptr) ::mallopt(M_MMAP_THRESHOLD, kMostOfHeap);
  if (std::getenv("MALLOC_TRIM_THRESHOLD_") == nullptr) {
    ::mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
  }
#endif
}

void release_freed_memory() {
#ifdef __GLIBC__
  ::malloc_trim(0);
#endif
}

}  // namespace effuse
