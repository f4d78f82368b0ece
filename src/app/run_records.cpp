#include "app/run_records.hpp"

#include <algorithm>
#include <exception>
#include <string>
#include <system_error>
#include <utility>

#include "app/device.hpp"
#include "app/environment.hpp"
#include "app/tensorboard_previews.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "core/unix_time.hpp"
#include "core/zero_padded.hpp"
#include "training/rank_metrics_hook.hpp"

namespace effuse {
namespace {

using metrics::series;

bool serves(const MetricsConfig& config, const Session& session) {
  if (!config.exporter) return false;
  if (config.ranks == "first") return session.rank() == 0;
  return config.ranks == "all" || session.local_rank() == 0;
}

/// Those whose names begin with `prefix`.
void remove_files(const std::filesystem::path& folder, const std::string& prefix) {
  std::error_code problem;
  std::vector<std::filesystem::path> found;
  for (const auto& entry : std::filesystem::directory_iterator(folder, problem)) {
    if (entry.path().filename().string().starts_with(prefix)) found.push_back(entry.path());
  }
  for (const auto& file : found) std::filesystem::remove(file, problem);
}

/// Null, with a warning, where it cannot be made.
std::unique_ptr<metrics::EventFile> open_events(const std::filesystem::path& folder,
                                                std::int64_t step) {
  try {
    return std::make_unique<metrics::EventFile>(folder, step);
  } catch (const std::exception& error) {
    log::warning("TensorBoard will not see this attempt: ", error.what(), ". Make ",
                 folder.string(), " a folder that can be written to.");
    return nullptr;
  }
}

}  // namespace

RunRecords::RunRecords(const Parts& parts)
    : parts_(parts),
      identity_(
          "effuse-train", parts.config.run.name, parts.folder.path(),
          parts.comm.broadcast_text(leads() ? mark_of_folder(parts.folder.folder_mark()) : "")) {
  describe_build(registry_);
  if (leads()) describe_attempt();
  const MetricsConfig& config = parts_.config.metrics;
  if (leads()) remove_targets_left();
  if (leads() && config.exporter) identity_.warn_of_namesake(config.targets);
  parts_.comm.barrier();
  if (serves(config, parts_.session)) serve();
  const bool listens = served_ != nullptr && served_->listens();
  const auto answers = parts_.comm.all_gather_text(listens ? "listens" : "");
  if (leads()) describe_run(std::ranges::count(answers, "listens"));
}

/// An attempt that was killed leaves its target files, and may have had more ranks that served.
void RunRecords::remove_targets_left() const {
  remove_files(parts_.folder.target(0).parent_path(), "");
  const std::filesystem::path of_site = parts_.config.metrics.targets;
  if (!of_site.empty()) remove_files(of_site, identity_.file_name() + ".");
}

std::string RunRecords::name_of(int rank) const {
  return cat(identity_.file_name(), ".rank-", zero_padded(rank, 4));
}

void RunRecords::describe_run(std::int64_t exporters) {
  registry_
      .gauge(series("effuse_run_info"), {{"model", parts_.config.model.name},
                                         {"compute", parts_.config.precision.compute},
                                         {"backend", std::string(parts_.comm.backend())},
                                         {"device", device_name(parts_.device)}})
      .set(1);
  registry_.gauge(series("effuse_train_ranks")).set(parts_.session.world_size());
  registry_.gauge(series("effuse_train_exporters")).set(static_cast<double>(exporters));
}

/// What is known before the first step, which a reference to measure may put off for long.
void RunRecords::describe_attempt() {
  registry_.gauge(series("effuse_train_start_timestamp_seconds")).set(unix_time_s());
  registry_.gauge(series("effuse_train_attempts")).set(static_cast<double>(parts_.attempt));
  registry_.gauge(series("effuse_train_step")).set(static_cast<double>(parts_.steps_done));
  registry_.gauge(series("effuse_train_step_target"))
      .set(static_cast<double>(parts_.run.total_steps));
  registry_.counter(series("effuse_train_steps_total"));
}

void RunRecords::serve() {
  const int rank = parts_.session.rank();
  const MetricsConfig& config = parts_.config.metrics;
  const std::string name = name_of(rank);
  const metrics::Labels labels = identity_.labels(rank);
  std::vector<std::filesystem::path> finals{parts_.folder.final_values(rank)};
  if (!config.textfiles.empty()) {
    finals.push_back(std::filesystem::path(config.textfiles) / (name + ".prom"));
  }
  final_.emplace(registry_, labels, std::move(finals));
  served_ = std::make_unique<ServedMetrics>(
      registry_, config,
      ServedMetrics::Place{.host = parts_.session.host(),
                           .local_rank = parts_.session.local_rank(),
                           .target_file = parts_.folder.target(rank),
                           .name = name,
                           .labels = labels});
}

void RunRecords::begin(std::int64_t steps_done, std::vector<std::unique_ptr<TrainingHook>>& hooks,
                       const Loader& loader, const DamagedImages& damaged) {
  if (leads()) {
    open_logs(steps_done);
    auto series_of_run = std::make_unique<MetricsHook>(registry_, parts_.run);
    add_interval_hook(hooks, *series_of_run);
    hooks.push_back(std::move(series_of_run));
  }
  hooks.push_back(std::make_unique<RankMetricsHook>(
      registry_, parts_.device, parts_.config.run.log_every_steps, [&loader, &damaged] {
        return RankMetricsHook::Data{loader.queued(), loader.bytes_given(), damaged.count()};
      }));
}

/// Cut back to `steps_done`.
void RunRecords::open_logs(std::int64_t steps_done) {
  log_ = std::make_unique<metrics::JsonlWriter>(parts_.folder.metrics_log(), steps_done);
  log_lines_ = std::make_unique<JsonlLog>(*log_);
  if (!parts_.config.metrics.tensorboard) return;
  events_ = open_events(parts_.folder.events(), steps_done);
  event_lines_.reset();
  if (events_) event_lines_ = std::make_unique<TensorBoardLog>(*events_, parts_.run.timesteps);
}

void RunRecords::add_interval_hook(std::vector<std::unique_ptr<TrainingHook>>& hooks,
                                   MetricsHook& series_of_run) {
  std::vector<IntervalListener*> listeners{log_lines_.get(), &series_of_run};
  if (event_lines_) listeners.push_back(event_lines_.get());
  hooks.push_back(std::make_unique<IntervalHook>(
      IntervalHook::Steps{.batch_size = parts_.run.batch_size,
                          .every_steps = parts_.config.run.log_every_steps,
                          .total_steps = parts_.run.total_steps},
      std::move(listeners)));
}

void RunRecords::add_picture_hook(std::vector<std::unique_ptr<TrainingHook>>& hooks) {
  if (!events_) return;
  hooks.push_back(std::make_unique<TensorBoardPreviews>(*events_, parts_.folder,
                                                        parts_.config.preview.every_steps));
}

void RunRecords::ended(ExitCode code) {
  if (final_) final_->ended(code);
}

}  // namespace effuse
