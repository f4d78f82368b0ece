#pragma once

#include <filesystem>
#include <vector>

#include "shards/descriptor.hpp"
#include "shards/manifest.hpp"

namespace effuse {

/// Keeps a second process from packing into the same folder, as long as it lives.
class FolderLock {
 public:
  /// Throws ConfigError where another process holds it. File systems without locks are let pass.
  explicit FolderLock(const std::filesystem::path& folder);

 private:
  Descriptor folder_;
};

/// Removes what packing wrote into `folder` except the shards in `keep`: other shards, temporary
/// files of a process that was killed, and, where nothing is kept, dataset.json and quarantine.csv.
/// Files of other names stay.
void clear_output(const std::filesystem::path& folder, const std::vector<ShardEntry>& keep);

}  // namespace effuse
