#pragma once

#include <sys/mount.h>

#include <filesystem>
#include <string>

#include "support/temporary_folder.hpp"

namespace effuse {

/// A folder on a file system of its own of `size_bytes`, to be filled up. Mounting one takes
/// privileges: where is_mounted() is false the test skips, saying so.
class SmallDisk {
 public:
  explicit SmallDisk(std::size_t size_bytes) {
    const std::string options = "size=" + std::to_string(size_bytes);
    mounted_ = ::mount("none", folder_.path().c_str(), "tmpfs", 0, options.c_str()) == 0;
  }
  ~SmallDisk() {
    if (mounted_) ::umount2(folder_.path().c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  bool is_mounted() const { return mounted_; }
  const std::filesystem::path& path() const { return folder_.path(); }

 private:
  TemporaryFolder folder_;
  bool mounted_ = false;
};

}  // namespace effuse
