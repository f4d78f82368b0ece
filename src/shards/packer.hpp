#pragma once

#include <cstdint>

#include "core/progress.hpp"
#include "shards/manifest.hpp"
#include "shards/pack_plan.hpp"

namespace effuse {

enum class PackResult { packed, already_complete, stopped };

struct PackOutcome {
  PackResult result = PackResult::packed;
  Manifest manifest;
  std::int64_t images_before = 0;  ///< packed by earlier attempts
  double seconds = 0;
};

/// Decodes, fits and writes the images of `plan`. Shards and manifest are the same bytes at any
/// number of workers, and whether done in one go or continued after being killed. A stop signal
/// (core/stop.hpp) ends it at once with PackResult::stopped; whole shards stay.
/// Throws DataError where too many images, or all, are unreadable; ConfigError and DataError as
/// progress_so_far(); ConfigError where another process packs into the same folder; Error where the
/// disk is full. After an error nothing half-written remains.
PackOutcome pack(const PackPlan& plan, ProgressStyle progress);

}  // namespace effuse
