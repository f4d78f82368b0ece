#include "hdf5/version.hpp"

#include <hdf5.h>

#include "core/text.hpp"
#include "hdf5/handle.hpp"

namespace effuse::hdf5 {

std::string version() {
  silence();
  unsigned major = 0, minor = 0, release = 0;
  if (H5get_libversion(&major, &minor, &release) < 0) return "unknown";
  return cat(major, ".", minor, ".", release);
}

}  // namespace effuse::hdf5
