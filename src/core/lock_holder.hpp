#pragma once

#include <filesystem>

namespace effuse {

enum class LockHolder {
  alive,
  gone,     ///< it was a process of this host, and ended without removing the file
  unknown,  ///< there is no file, no lock can be seen here, or a process of another host wrote it
};

/// Of a LockFile that another process, or this one, may hold.
LockHolder lock_holder(const std::filesystem::path& file);

}  // namespace effuse
