#pragma once

#include <array>
#include <filesystem>
#include <optional>

#include "config/config.hpp"
#include "metrics/registry.hpp"
#include "training/goodput_meter.hpp"
#include "training/stopwatch.hpp"
#include "training/trainer.hpp"

namespace effuse {

/// The run's account of time, at rank 0: kept in goodput.json, exported, and said at the end
/// together with where the time of a step went. The last of the hooks, so that what the others did
/// at a step is in it.
class GoodputHook : public TrainingHook {
 public:
  /// `meter` must outlive this.
  GoodputHook(GoodputMeter& meter, std::filesystem::path file, const Config& config,
              metrics::Registry& registry);

  void before_training(std::int64_t steps_done) override;
  void after_step(const StepReport& report) override;
  void after_training(std::int64_t steps_done, TrainingEnd end) override;

 private:
  void write();
  void set_gauges(const StepTimeline& steps);

  GoodputMeter& meter_;
  std::filesystem::path file_;
  std::int64_t log_every_steps_;
  std::int64_t checkpoint_every_steps_;
  metrics::Registry& registry_;
  std::vector<metrics::Gauge> lost_;
  metrics::Gauge ratio_, attempts_;
  std::optional<metrics::Gauge> hidden_;  ///< where there is communication
  Stopwatch since_written_;
  double writing_s_ = 0.0;
  bool failed_ = false;
};

}  // namespace effuse
