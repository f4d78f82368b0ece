#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "config/config.hpp"
#include "metrics/exporter.hpp"
#include "metrics/scrape_target.hpp"
#include "training/trainer.hpp"

namespace effuse {

/// Serves the registry while training runs and tells Prometheus where, through a file_sd target. A
/// port that is taken is said and training goes on without.
class ExporterHook : public TrainingHook {
 public:
  ExporterHook(const metrics::Registry& registry, const Config& config, const std::string& host,
               const std::filesystem::path& target_file);

  void after_training(std::int64_t steps_done, TrainingEnd end) override;

 private:
  std::unique_ptr<metrics::Exporter> exporter_;
  std::unique_ptr<metrics::ScrapeTarget> target_;
};

}  // namespace effuse
