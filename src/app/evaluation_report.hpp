#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "config/config.hpp"
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

}  // namespace effuse
