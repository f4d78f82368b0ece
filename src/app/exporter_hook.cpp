#include "app/exporter_hook.hpp"

namespace effuse {

ExporterHook::ExporterHook(const metrics::Registry& registry, const Config& config,
                           const std::string& host, const std::filesystem::path& target_file)
    : served_(std::make_unique<ServedMetrics>(
          registry, config.metrics, host, target_file,
          metrics::Labels{{"run", config.run.name}, {"rank", "0"}})) {}

void ExporterHook::after_training(std::int64_t, TrainingEnd) { served_.reset(); }

}  // namespace effuse
