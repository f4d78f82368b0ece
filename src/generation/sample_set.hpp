#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "config/config.hpp"

namespace effuse {

/// A folder of generated images (ImageStore) and samples.json, which says all they depend on.
class SampleSet {
 public:
  /// What the images of a set depend on.
  struct Recipe {
    SamplingConfig sampling;
    std::string weights_sha256;  ///< of the weights' file
    std::int64_t weights_step = 0;
    std::string noise_sha256;           ///< of the noise file; empty: drawn from the seed
    std::vector<std::int64_t> classes;  ///< image i is of class classes[i mod n]; empty: none
    std::vector<std::string> class_names;
  };

  SampleSet(std::filesystem::path folder, Recipe recipe);

  /// Throws ConfigError where the folder holds another set, naming the settings that differ; the
  /// same set, begun before, can be continued.
  void check() const;

  /// check(), makes the folder and writes samples.json.
  void begin() const;

  /// Marks samples.json as complete.
  void complete() const;

  const std::filesystem::path& folder() const { return folder_; }

 private:
  std::string record(bool is_complete) const;

  std::filesystem::path folder_;
  Recipe recipe_;
};

}  // namespace effuse
