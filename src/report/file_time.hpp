#pragma once

#include <sys/stat.h>

#include <filesystem>

namespace effuse {

/// When the file was last changed, Unix time; 0 where there is none.
inline double changed_unix_s(const std::filesystem::path& file) {
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0) return 0.0;
  return static_cast<double>(status.st_mtim.tv_sec) +
         1e-9 * static_cast<double>(status.st_mtim.tv_nsec);
}

}  // namespace effuse
