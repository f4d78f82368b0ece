#pragma once

#include <filesystem>
#include <system_error>
#include <utility>

namespace effuse {

/// What is under a temporary name does not outlive a write that fails: removed, file or folder, at
/// the end of the scope, unless it was renamed before.
class TemporaryPath {
 public:
  explicit TemporaryPath(std::filesystem::path path) : path_(std::move(path)) {}
  ~TemporaryPath() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryPath(const TemporaryPath&) = delete;
  TemporaryPath& operator=(const TemporaryPath&) = delete;

 private:
  std::filesystem::path path_;
};

/// Absolute and normal, so that "out/" and "out" are one name.
inline std::filesystem::path without_trailing_slash(const std::filesystem::path& path) {
  const std::filesystem::path whole = std::filesystem::absolute(path).lexically_normal();
  return whole.has_filename() ? whole : whole.parent_path();
}

}  // namespace effuse
