#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "core/index_range.hpp"
#include "core/lock_file.hpp"
#include "core/part.hpp"
#include "shards/manifest.hpp"

/// The folder that is packed into, and who may do what in it. Packing in one go holds lock_output()
/// all the time, a part holds lock_part(). What looks at the whole folder (beginning, merging the
/// parts) is short and done with wait_for_turn(), which is taken before the others.
namespace effuse {

/// Keeps a second process from packing into the same folder in one go, as long as it lives. Throws
/// ConfigError where another process does.
std::unique_ptr<LockFile> lock_output(const std::filesystem::path& folder);

/// Keeps a second process from packing the same part. Throws ConfigError where another process
/// does.
std::unique_ptr<LockFile> lock_part(const std::filesystem::path& folder, const Part& part);

/// Waits until no other process begins in the folder or merges its parts, and keeps them from it.
std::unique_ptr<LockFile> wait_for_turn(const std::filesystem::path& folder);

/// Throws ConfigError where a process packs a part of the data set cut into another number of parts
/// than `part`: the shards of both overlap.
void require_unshared(const std::filesystem::path& folder, const Part& part);

/// Removes what packing wrote into `folder` except the shards in `keep`: other shards, temporary
/// files of a process that was killed, and, where nothing is kept, dataset.json and quarantine.csv.
/// Files of other names stay.
void clear_output(const std::filesystem::path& folder, const std::vector<ShardEntry>& keep);

/// Of the shards with these numbers, and their temporary files, removes all but those in `keep`;
/// and what killed processes were writing of the manifest of `part`.
void clear_part(const std::filesystem::path& folder, const Part& part, const IndexRange& numbers,
                const std::vector<ShardEntry>& keep);

/// Removes the manifests of parts of which there are not `but_of`.
void remove_part_manifests(const std::filesystem::path& folder, std::int64_t but_of);

/// Removes locks of parts whose process was killed.
void remove_free_part_locks(const std::filesystem::path& folder);

}  // namespace effuse
