#include "app/served_metrics.hpp"

#include "core/log.hpp"

namespace effuse {

ServedMetrics::ServedMetrics(const metrics::Registry& registry, const MetricsConfig& config,
                             const std::string& host, const std::filesystem::path& target_file,
                             const metrics::Labels& labels) {
  if (!config.exporter) return;
  auto started = metrics::Exporter::start(registry, config.address, static_cast<int>(config.port));
  if (!started.exporter) {
    log::warning(started.problem, " The work goes on without an exporter.");
    return;
  }
  exporter_ = std::move(started.exporter);
  const bool loopback = config.address.rfind("127.", 0) == 0;
  const std::string reachable = loopback ? config.address : host;
  target_ =
      std::make_unique<metrics::ScrapeTarget>(target_file, reachable, exporter_->port(), labels);
  log::info("metrics     http://", reachable, ":", exporter_->port(), "/metrics");
}

}  // namespace effuse
