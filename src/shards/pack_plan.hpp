#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "config/config.hpp"
#include "core/index_range.hpp"
#include "image/fit.hpp"
#include "shards/image_folder.hpp"
#include "shards/manifest.hpp"
#include "shards/shard_writer.hpp"

namespace effuse {

/// What becomes of a data set that is already there: it is continued, or it makes way (--fresh).
enum class Existing { keep, discard };

/// All that is known before the first image is decoded.
struct PackPlan {
  ImageFolder source;
  std::filesystem::path output;
  Target target;
  ShardSpec spec;
  std::string source_sha256;
  Existing existing = Existing::keep;
  int workers = 1;
  double max_bad_share = 0;
  std::int64_t images_per_shard = 1;

  /// Source images are cut into ranges of images_per_shard, and the readable ones of range k are
  /// shard k. Where none is, there is no such shard.
  std::int64_t shard_count() const;

  IndexRange sources_of_shard(std::int64_t number) const;

  /// How many source images may be unreadable.
  std::int64_t bad_allowed() const;

  /// For people: what is read, what will be written, what was ignored.
  std::string summary() const;
};

/// Checks the settings and looks through the source folder. Throws ConfigError and DataError.
PackPlan plan_packing(const PackConfig& config, Existing existing);

/// Where an earlier attempt in the output folder got to: its whole shards, or none. Throws
/// ConfigError where it had other settings, DataError where it packed other images; with
/// Existing::discard neither matters.
Manifest progress_so_far(const PackPlan& plan);

}  // namespace effuse
