#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "app/served_metrics.hpp"
#include "config/config.hpp"
#include "core/progress.hpp"
#include "generation/bulk.hpp"
#include "generation/tiles.hpp"
#include "metrics/registry.hpp"

namespace effuse {

/// Says, at rank 0, how far a generation is: progress with rate and time left on stderr, and series
/// for Prometheus (docs/metrics.md).
class SampleReport {
 public:
  /// `set`: the folder of images; the scrape target of a part of it lies there while this lives.
  SampleReport(const Config& config, const std::string& host, const std::filesystem::path& set,
               const Part& part);
  ~SampleReport();
  SampleReport(const SampleReport&) = delete;
  SampleReport& operator=(const SampleReport&) = delete;

  /// From one thread at a time.
  void show(const BulkProgress& progress);

  /// The work is done or stopped.
  void finish();

 private:
  using Clock = std::chrono::steady_clock;

  double images_per_second(const BulkProgress& progress) const;

  std::filesystem::path targets_, mark_;
  metrics::Registry registry_;
  metrics::Gauge images_, target_, rate_, resident_;
  metrics::Counter made_, tiles_;
  BulkProgress last_;
  Clock::time_point began_ = Clock::now();
  std::optional<Progress> progress_;  ///< from the first show() on
  std::unique_ptr<ServedMetrics> served_;
};

}  // namespace effuse
