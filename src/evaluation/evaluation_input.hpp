#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "comm/communicator.hpp"
#include "evaluation/image_source.hpp"
#include "evaluation/statistics_file.hpp"

namespace effuse {

/// What is on one side of a comparison, opened.
struct EvaluationInput {
  std::vector<std::filesystem::path> paths;
  std::vector<Statistics> statistics;   ///< of each path; empty where they are to be computed
  std::unique_ptr<ImageSource> images;  ///< null where there are statistics alone

  /// How many images there are; empty where there are statistics alone.
  std::optional<std::int64_t> count() const;

  /// The packed data set that this is; empty where it is something else, or several.
  std::filesystem::path dataset() const;

  /// "samples/" or "samples/ and 2 more", for messages.
  std::string text() const;
};

/// Opens the paths of evaluation.`key`: images, or statistics, or one file that holds both, as
/// ADM's do. Throws DataError for what cannot be read, ConfigError where images and statistics are
/// mixed.
EvaluationInput open_input(const std::vector<std::string>& paths, const char* key);

/// Throws DataError where there are no images, but every metric except fid needs their features.
void require_images_for_features(const EvaluationInput& input);

/// Collective. Throws AgreedError where the ranks do not see the same images: a folder that is
/// being written, or that a node's file system knows in an older state.
void require_same_images(const EvaluationInput& input, Communicator& comm);

/// The statistics of several files together. Throws DataError where one lacks the sums, or was made
/// by another network than the first.
Statistics merge_statistics(const EvaluationInput& input);

}  // namespace effuse
