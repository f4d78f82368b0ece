#include "app/run_records.hpp"

#include <torch/version.h>

#include <algorithm>
#include <string>

#include "app/device.hpp"
#include "app/environment.hpp"
#include "app/tensorboard_hook.hpp"
#include "core/text.hpp"
#include "core/version.hpp"
#include "core/zero_padded.hpp"
#include "training/log_hooks.hpp"
#include "training/rank_metrics_hook.hpp"

namespace effuse {
namespace {

using metrics::series;

constexpr const char* kProgram = "effuse-train";

bool serves(const MetricsConfig& config, const Session& session) {
  if (!config.exporter) return false;
  if (config.ranks == "first") return session.rank() == 0;
  return config.ranks == "all" || session.local_rank() == 0;
}

}  // namespace

RunRecords::RunRecords(const Parts& parts) : parts_(parts) {
  describe_build(registry_);
  if (serves(parts_.config.metrics, parts_.session)) serve();
  const bool listens = served_ != nullptr && served_->listens();
  const auto answers = parts_.comm.all_gather_text(listens ? "listens" : "");
  if (leads()) describe_run(std::ranges::count(answers, "listens"));
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

void RunRecords::serve() {
  const int rank = parts_.session.rank();
  const MetricsConfig& config = parts_.config.metrics;
  const std::string name =
      cat(kProgram, ".", parts_.config.run.name, ".rank-", zero_padded(rank, 4));
  const metrics::Labels labels = identity(kProgram, parts_.config.run.name, rank);
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
  const RunConfig& run = parts_.config.run;
  if (leads()) {
    log_ = std::make_unique<metrics::JsonlWriter>(parts_.folder.metrics_log(), steps_done);
    if (parts_.config.metrics.tensorboard) {
      events_ = std::make_unique<metrics::EventFile>(parts_.folder.events(), steps_done);
    }
    hooks.push_back(
        std::make_unique<JsonlHook>(*log_, run.log_every_steps, parts_.run.total_steps));
    hooks.push_back(std::make_unique<MetricsHook>(registry_, parts_.run));
  }
  hooks.push_back(std::make_unique<RankMetricsHook>(
      registry_, parts_.device, run.log_every_steps, [&loader, &damaged] {
        return RankMetricsHook::Data{loader.queued(), loader.bytes_given(), damaged.count()};
      }));
}

void RunRecords::add_picture_hook(std::vector<std::unique_ptr<TrainingHook>>& hooks) {
  if (!events_) return;
  hooks.push_back(std::make_unique<TensorBoardHook>(
      *events_, parts_.folder,
      TensorBoardHook::Run{.batch_size = parts_.config.run.batch_size,
                           .timesteps = parts_.run.timesteps,
                           .log_every_steps = parts_.config.run.log_every_steps,
                           .preview_every_steps = parts_.config.preview.every_steps}));
}

void RunRecords::ended(ExitCode code) {
  if (final_) final_->ended(code);
}

}  // namespace effuse
