#pragma once

#include <filesystem>
#include <vector>

#include "core/lock_file.hpp"
#include "shards/manifest.hpp"

namespace effuse {

/// Keeps a second process from packing into the same folder, as long as it lives. Throws
/// ConfigError where another process does.
LockFile lock_output(const std::filesystem::path& folder);

/// Removes what packing wrote into `folder` except the shards in `keep`: other shards, temporary
/// files of a process that was killed, and, where nothing is kept, dataset.json and quarantine.csv.
/// Files of other names stay.
void clear_output(const std::filesystem::path& folder, const std::vector<ShardEntry>& keep);

}  // namespace effuse
