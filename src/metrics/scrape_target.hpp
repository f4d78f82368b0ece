#pragma once

#include <filesystem>
#include <string>

#include "metrics/registry.hpp"

namespace effuse::metrics {

/// Tells Prometheus where an exporter listens, by a file for its file_sd discovery that exists as
/// long as this object:
///   [{"targets": ["node7:41237"], "labels": {"run": "faces", "rank": "0"}}]
/// A file that cannot be written or removed is logged as a warning; nothing is thrown.
class ScrapeTarget {
 public:
  /// Writes `file` (".json" or Prometheus skips it) atomically, with its folders. `host` is a name
  /// or address that Prometheus can reach.
  ScrapeTarget(std::filesystem::path file, const std::string& host, int port, const Labels& labels);
  ~ScrapeTarget();
  ScrapeTarget(const ScrapeTarget&) = delete;
  ScrapeTarget& operator=(const ScrapeTarget&) = delete;

 private:
  std::filesystem::path file_;  // empty where nothing was written
};

}  // namespace effuse::metrics
