#include <nccl.h>

#include "comm/library_versions.hpp"
#include "core/text.hpp"

namespace effuse {

std::string nccl_version() {
  int number = 0;
  if (ncclGetVersion(&number) != ncclSuccess) return "unknown";
  return cat(number / 10000, ".", number / 100 % 100, ".", number % 100);
}

}  // namespace effuse
