#pragma once

#include <filesystem>
#include <vector>

#include "core/error.hpp"
#include "metrics/registry.hpp"

namespace effuse {

/// The values that a job's series had in the end, when nobody can scrape them any more: files in
/// Prometheus' text format, as node-exporter's textfile collector reads them (".prom"), in which
/// the series carry the job's identity.
class FinalValues {
 public:
  /// Removes what an earlier attempt left in `files`. `registry` must outlive this.
  FinalValues(metrics::Registry& registry, metrics::Labels identity,
              std::vector<std::filesystem::path> files);

  /// Writes them, as of a job that failed unless it was said how it ended. What cannot be written
  /// is warned of.
  ~FinalValues();
  FinalValues(const FinalValues&) = delete;
  FinalValues& operator=(const FinalValues&) = delete;

  void ended(ExitCode code) { code_ = code; }

 private:
  metrics::Registry& registry_;
  metrics::Labels identity_;
  std::vector<std::filesystem::path> files_;
  ExitCode code_ = ExitCode::failure;
};

}  // namespace effuse
