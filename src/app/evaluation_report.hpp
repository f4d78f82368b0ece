#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "comm/communicator.hpp"
#include "config/config.hpp"
#include "evaluation/extremes.hpp"
#include "evaluation/feature_network.hpp"

namespace effuse {

/// What an evaluation found, and all it depends on.
struct EvaluationReport {
  nlohmann::ordered_json scores;  ///< {"fid": {"value": …}, …}
  FeatureOrigin network;          ///< empty where none was used
  std::int64_t images = 0;        ///< how many; 0 where only their mu and sigma are known
  std::int64_t reference_images = 0;
  EvaluationConfig settings;
  nlohmann::ordered_json sampling;  ///< how images were made that were never written; else null
};

/// The result file: the scores, then "network", "images", "reference", "settings" and, of
/// generated images, "sampling".
std::string report_json(const EvaluationReport& report);

/// Six digits, as many as people compare.
std::string short_number(double value);

/// The scores as a table for people. Lines end with a newline.
std::string report_table(const EvaluationReport& report);

/// The table to standard output, then the result to `file`, unless that is empty, in a folder that
/// is made: the numbers are seen even where the disk refuses.
void tell(const EvaluationReport& report, const std::filesystem::path& file);

/// How many images of each kind a picture shows.
inline constexpr std::int64_t kPictureImages = 24;

/// Collective. Rank 0 writes picture_of(extremes, images) as PNG.
void write_picture_of(const Extremes& extremes, const ImageSource& images,
                      const std::filesystem::path& file, Communicator& comm);

}  // namespace effuse
