#include "app/served_metrics.hpp"

#include "core/log.hpp"

namespace effuse {

namespace {

constexpr int kMostPort = 65535;

}  // namespace

ServedMetrics::ServedMetrics(const metrics::Registry& registry, const MetricsConfig& config,
                             const Place& place) {
  if (!config.exporter) return;
  const int port = config.port == 0 ? 0 : static_cast<int>(config.port) + place.local_rank;
  if (port > kMostPort) {
    log::local_warning("there is no port ", port, ", which metrics.port leaves for local rank ",
                       place.local_rank, ". The work goes on without its exporter.");
    return;
  }
  auto started = metrics::Exporter::start(registry, config.address, port);
  if (!started.exporter) {
    log::local_warning(started.problem, " The work goes on without an exporter.");
    return;
  }
  exporter_ = std::move(started.exporter);
  const bool everywhere = config.address == "0.0.0.0" || config.address == "::";
  const std::string reachable = everywhere ? place.host : config.address;
  std::vector<std::filesystem::path> files{place.target_file};
  if (!config.targets.empty()) {
    files.push_back(std::filesystem::path(config.targets) / (place.name + ".json"));
  }
  for (const auto& file : files) {
    targets_.push_back(
        std::make_unique<metrics::ScrapeTarget>(file, reachable, exporter_->port(), place.labels));
  }
  log::info("metrics     http://", reachable, ":", exporter_->port(), "/metrics");
}

}  // namespace effuse
