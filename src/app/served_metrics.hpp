#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "config/config.hpp"
#include "metrics/exporter.hpp"
#include "metrics/scrape_target.hpp"

namespace effuse {

/// Serves a registry as [metrics] says, as long as it lives, and tells Prometheus where, through a
/// file_sd target. A port that is taken is said in the log, and nothing is served.
class ServedMetrics {
 public:
  /// `host`: the name under which others reach this one. `labels`: of the target.
  ServedMetrics(const metrics::Registry& registry, const MetricsConfig& config,
                const std::string& host, const std::filesystem::path& target_file,
                const metrics::Labels& labels);

 private:
  std::unique_ptr<metrics::Exporter> exporter_;
  std::unique_ptr<metrics::ScrapeTarget> target_;  // after, so removed before, what it points to
};

}  // namespace effuse
