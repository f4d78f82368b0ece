#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/run_folder.hpp"
#include "app/run_job.hpp"
#include "app/run_records.hpp"
#include "app/run_report.hpp"
#include "app/scorer.hpp"
#include "app/start_run.hpp"
#include "comm/communicator.hpp"
#include "data/damaged_images.hpp"
#include "models/network.hpp"
#include "shards/sharded_dataset.hpp"
#include "training/checkpoint_hook.hpp"
#include "training/draw_log.hpp"
#include "training/flat_state.hpp"
#include "training/goodput_meter.hpp"
#include "training/trainer.hpp"

namespace effuse {

/// One process's part of a training run: what is built, in the order in which it is needed.
class TrainRun {
 public:
  /// Collective. Opens the data set and builds the network. Throws AgreedError for what cannot be.
  TrainRun(JobContext& context, Communicator& comm, at::Device device, int threads);

  /// Collective. Trains until the run is finished or asked to stop.
  JobEnd run();

 private:
  void begin();
  FlatLayout layout() const;
  void take_place(const std::optional<CheckpointContents>& contents);
  void write_run_files();
  void announce() const;
  TrainingEnd train();
  void go_back();
  std::vector<std::unique_ptr<TrainingHook>> make_hooks(Loader& loader, TrainStep& step);
  std::unique_ptr<RunRecords> make_records();
  std::function<void()> tell_report();
  JobEnd evaluate_and_train();
  metrics::Registry& registry() { return records_->registry(); }
  std::unique_ptr<CheckpointHook> make_checkpoint_hook(TrainStep& step);
  std::unique_ptr<TrainingHook> make_evaluation_hook(CheckpointHook& checkpoints);
  bool prepare_evaluation();
  BatchPlan batch_plan() const;
  bool leads() const { return comm_.rank() == 0; }

  JobContext& context_;
  Communicator& comm_;
  Config config_;
  at::Device device_;
  int threads_;
  ShardedDataset dataset_;
  DamagedImages damaged_;
  std::int64_t total_steps_;
  RunFolder folder_;
  StartOptions start_;
  Schedule schedule_;
  std::shared_ptr<Network> network_;
  std::unique_ptr<FlatState> state_;
  std::optional<ControlState> control_;  ///< of the checkpoint that training goes on from
  std::unique_ptr<Scorer> scorer_;       ///< where the run is evaluated
  std::unique_ptr<DrawLog> draw_log_;
  std::unique_ptr<RunRecords> records_;
  std::unique_ptr<GoodputMeter> goodput_;  ///< at rank 0
  std::int64_t steps_done_ = 0;
};

}  // namespace effuse
