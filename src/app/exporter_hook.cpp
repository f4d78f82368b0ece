#include "app/exporter_hook.hpp"

#include "core/log.hpp"

namespace effuse {

ExporterHook::ExporterHook(const metrics::Registry& registry, const Config& config,
                           const std::string& host, const std::filesystem::path& target_file) {
  if (!config.metrics.exporter) return;
  auto started = metrics::Exporter::start(registry, config.metrics.address,
                                          static_cast<int>(config.metrics.port));
  if (!started.exporter) {
    log::warning(started.problem, " Training goes on without an exporter.");
    return;
  }
  exporter_ = std::move(started.exporter);
  const bool loopback = config.metrics.address.rfind("127.", 0) == 0;
  const std::string reachable = loopback ? config.metrics.address : host;
  target_ = std::make_unique<metrics::ScrapeTarget>(
      target_file, reachable, exporter_->port(),
      metrics::Labels{{"run", config.run.name}, {"rank", "0"}});
  log::info("metrics     http://", reachable, ":", exporter_->port(), "/metrics");
}

void ExporterHook::after_training(std::int64_t, TrainingEnd) {
  target_.reset();
  exporter_.reset();
}

}  // namespace effuse
