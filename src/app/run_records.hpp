#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/final_values.hpp"
#include "app/job_identity.hpp"
#include "app/run_folder.hpp"
#include "app/served_metrics.hpp"
#include "comm/communicator.hpp"
#include "comm/session.hpp"
#include "config/config.hpp"
#include "data/damaged_images.hpp"
#include "data/loader.hpp"
#include "metrics/event_file.hpp"
#include "metrics/jsonl.hpp"
#include "metrics/registry.hpp"
#include "training/interval_logs.hpp"
#include "training/metrics_hook.hpp"
#include "training/trainer.hpp"

namespace effuse {

/// What one rank of a training tells of it: series for Prometheus, at rank 0 train.jsonl and
/// TensorBoard's files. Begins to serve when it is made, and ends with the final values.
class RunRecords {
 public:
  struct Parts {
    const Config& config;
    const RunFolder& folder;
    const Session& session;
    Communicator& comm;
    at::Device device;
    MetricsHook::Run run;
    std::int64_t steps_done = 0;  ///< when this attempt begins
    std::int64_t attempt = 0;     ///< its number, from 1; told by rank 0
  };

  /// Collective.
  explicit RunRecords(const Parts& parts);

  metrics::Registry& registry() { return registry_; }
  metrics::JsonlWriter& log() { return *log_; }           ///< at rank 0
  metrics::EventFile* events() { return events_.get(); }  ///< at rank 0, if wanted

  /// For a training loop that goes on after `steps_done` steps: cuts the log back to them, and adds
  /// the hooks that come first. What is referred to must outlive the hooks.
  void begin(std::int64_t steps_done, std::vector<std::unique_ptr<TrainingHook>>& hooks,
             const Loader& loader, const DamagedImages& damaged);

  /// That of TensorBoard, after the one that makes previews.
  void add_picture_hook(std::vector<std::unique_ptr<TrainingHook>>& hooks);

  /// How the training ended, where it did not fail.
  void ended(ExitCode code);

 private:
  bool leads() const { return parts_.session.rank() == 0; }
  void remove_targets_left() const;
  std::string name_of(int rank) const;  ///< of its files in folders of the site
  void describe_run(std::int64_t exporters);
  void describe_attempt();
  void open_logs(std::int64_t steps_done);
  void add_interval_hook(std::vector<std::unique_ptr<TrainingHook>>& hooks, MetricsHook& series);
  void serve();

  Parts parts_;
  JobIdentity identity_;
  metrics::Registry registry_;
  std::optional<FinalValues> final_;  ///< where this rank serves
  std::unique_ptr<ServedMetrics> served_;
  std::unique_ptr<metrics::JsonlWriter> log_;
  std::unique_ptr<JsonlLog> log_lines_;  ///< writes to log_
  std::unique_ptr<metrics::EventFile> events_;
  std::unique_ptr<TensorBoardLog> event_lines_;  ///< writes to events_
};

}  // namespace effuse
