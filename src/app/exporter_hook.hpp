#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "app/served_metrics.hpp"
#include "config/config.hpp"
#include "training/trainer.hpp"

namespace effuse {

/// Serves the registry while training runs.
class ExporterHook : public TrainingHook {
 public:
  ExporterHook(const metrics::Registry& registry, const Config& config, const std::string& host,
               const std::filesystem::path& target_file);

  void after_training(std::int64_t steps_done, TrainingEnd end) override;

 private:
  std::unique_ptr<ServedMetrics> served_;
};

}  // namespace effuse
