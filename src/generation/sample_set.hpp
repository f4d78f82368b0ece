#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "core/lock_file.hpp"
#include "generation/tiles.hpp"

namespace effuse {

/// A folder of generated images (ImageStore) and samples.json, which says all they depend on. Jobs
/// of several parts of it may run at once.
class SampleSet {
 public:
  /// What the images of a set depend on.
  struct Recipe {
    SamplingConfig sampling;
    IndexRange set;
    std::int64_t height = 0, width = 0;  ///< of the images, in pixels
    std::string weights_sha256;          ///< of the weights' file
    std::int64_t weights_step = 0;
    std::string noise_sha256;                ///< of the noise file; empty: drawn from the seed
    std::vector<std::int64_t> classes;       ///< image i is of class classes[i mod n]; empty: none
    std::vector<std::int64_t> class_counts;  ///< in place of classes: spread_classes() of these
    std::vector<std::string> class_names;
    std::string device;  ///< that computes them, in words
  };

  SampleSet(std::filesystem::path folder, Recipe recipe);

  /// Throws ConfigError where the folder holds another set, naming the settings that differ; the
  /// same set, begun before, can be continued.
  void check() const;

  /// Makes the folder, and keeps other jobs from that part of the set. Throws ConfigError where one
  /// is at it.
  std::unique_ptr<LockFile> lock(const Part& part) const;

  /// With the lock(): throws ConfigError where a job is at a part of the set that was cut into
  /// another number of parts than `part`: the tiles of both overlap.
  void require_unshared(const Part& part) const;

  /// Waits until no other job is beginning or finishing the set, and keeps them from it.
  std::unique_ptr<LockFile> lock() const;

  /// With the lock(): check(), writes samples.json, and removes what was being written to the
  /// folder by jobs that were killed.
  void begin() const;

  /// With the lock(): marks samples.json as complete.
  void complete() const;

  /// What samples.json says: all that the images depend on, as JSON.
  std::string record(bool is_complete = true) const;

  const std::filesystem::path& folder() const { return folder_; }

 private:
  std::filesystem::path folder_;
  Recipe recipe_;
};

}  // namespace effuse
