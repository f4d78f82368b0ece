#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "config/config.hpp"
#include "core/index_range.hpp"
#include "core/part.hpp"
#include "image/fit.hpp"
#include "shards/image_folder.hpp"
#include "shards/manifest.hpp"
#include "shards/shard_writer.hpp"

namespace effuse {

/// What becomes of what was packed to the output folder before: it is continued, or it makes way
/// (--fresh); for a part, what was packed of it.
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
  Part part;  ///< of the shards, that this process packs

  /// Source images are cut into ranges of images_per_shard, and the readable ones of range k are
  /// shard k. Where none is, there is no such shard.
  std::int64_t shard_count() const;

  IndexRange sources_of_shard(std::int64_t number) const;

  /// Numbers of the shards of the part.
  IndexRange shards() const;

  /// The source images they are packed from.
  IndexRange sources() const;

  /// Where it is kept how far packing got: dataset.json, or the manifest of the part.
  std::filesystem::path progress_file() const;

  /// How many source images may be unreadable.
  std::int64_t bad_allowed() const;

  /// For people: what is read, what will be written, what was ignored.
  std::string summary() const;
};

/// Checks the settings and looks through the source folder. Throws ConfigError and DataError.
PackPlan plan_packing(const PackConfig& config, Existing existing);

}  // namespace effuse
