#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "metrics/exporter.hpp"
#include "metrics/scrape_target.hpp"

namespace effuse {

/// Serves a registry as [metrics] says, as long as it lives, and tells Prometheus where, through
/// file_sd targets: one that lies with the job's results, and where metrics.targets names a folder,
/// one there. A port that is taken is said in the log, and nothing is served.
class ServedMetrics {
 public:
  struct Place {
    std::string host;    ///< the name under which others reach this one
    int local_rank = 0;  ///< further ranks of a host take the ports after metrics.port
    std::filesystem::path target_file;  ///< with the results
    std::string name;                   ///< of the file in metrics.targets, without ".json"
    metrics::Labels labels;             ///< of the targets
  };

  ServedMetrics(const metrics::Registry& registry, const MetricsConfig& config, const Place& place);

  /// Whether there is an exporter.
  bool listens() const { return exporter_ != nullptr; }

 private:
  std::unique_ptr<metrics::Exporter> exporter_;
  std::vector<std::unique_ptr<metrics::ScrapeTarget>>
      targets_;  // removed before what they point to
};

}  // namespace effuse
