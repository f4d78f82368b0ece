#pragma once

#include <cstdint>
#include <string>

#include "core/progress.hpp"
#include "shards/manifest.hpp"
#include "shards/pack_plan.hpp"

namespace effuse {

enum class PackResult {
  packed,            ///< all in one go
  part_done,         ///< others are not
  merged,            ///< all parts are done: this job merged them, or another one just then
  already_complete,  ///< there was nothing to do
  stopped,
};

struct PackOutcome {
  PackResult result = PackResult::packed;
  Manifest manifest;  ///< of the data set; with part_done, and stopped in a part, of the part
  std::int64_t images_before = 0;  ///< of the manifest, packed by earlier attempts
  double seconds = 0;
  std::string unfinished = {};  ///< with part_done: which parts are not, and why
};

/// Decodes, fits and writes the images of `plan`. Shards and manifest are the same bytes at any
/// number of workers, whether done in one go or in parts, and whether continued after being killed.
/// A stop signal (core/stop.hpp) ends it at once with PackResult::stopped; whole shards stay.
///
/// Of several parts it packs the plan's one, which other processes may do for the other parts at
/// the same time; the one that ends last merges them.
///
/// Throws DataError where too many images, or all, are unreadable; ConfigError and DataError as
/// progress_so_far(); ConfigError where another process packs what this one would; Error where the
/// disk is full. After an error nothing half-written remains.
PackOutcome pack(const PackPlan& plan, ProgressStyle progress);

/// Merges parts that are all done where none could: the last was killed just then, or there were
/// too many unreadable images and more are allowed now. Throws DataError naming the parts that are
/// not.
PackOutcome merge(const PackPlan& plan);

/// Throws what merge() would. Reads only.
void check_merge(const PackPlan& plan);

}  // namespace effuse
