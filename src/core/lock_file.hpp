#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace effuse {

/// Keeps a second process, on this or another host, from what one alone may do: a lock on a file
/// that names its holder, for as long as it lives. A process that is killed lets go of it.
///
/// File systems without locks are let pass, with a warning in the log; so is, in silence, a folder
/// where this process may not write.
class LockFile {
 public:
  /// Throws ConfigError where another process holds it: "`subject` is in use by effuse-train on
  /// node-3 (process 815). `advice`". Throws std::system_error where the file cannot be made.
  LockFile(std::filesystem::path file, std::string_view subject, std::string_view advice);

  /// Waits for another process that holds it, however long that takes.
  explicit LockFile(std::filesystem::path file);

  /// Removes the file.
  ~LockFile();
  LockFile(const LockFile&) = delete;
  LockFile& operator=(const LockFile&) = delete;

 private:
  /// Locks the file as flock() does with `operation`. Returns who holds it; empty: this process.
  std::string take(int operation);

  std::filesystem::path file_;
  int descriptor_ = -1;
};

}  // namespace effuse
