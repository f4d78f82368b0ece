#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <optional>
#include <vector>

#include "metrics/registry.hpp"
#include "training/interval.hpp"
#include "training/pace.hpp"

namespace effuse {

/// Counts that the run went back to a checkpoint.
void count_restore(metrics::Registry& registry);

/// The run's state as Prometheus series, at rank 0.
class MetricsHook : public TrainingHook, public IntervalListener {
 public:
  struct Run {
    std::int64_t total_steps = 0;
    std::int64_t batch_size = 0;
    std::int64_t dataset_size = 0;
    std::int64_t timesteps = 0;
    double flops_per_image = 0.0;       ///< of a training step
    double peak_flops_per_s = 0.0;      ///< of all devices; 0: not known
    std::filesystem::path folder = {};  ///< of which free space is told
  };

  MetricsHook(metrics::Registry& registry, Run run);

  void before_training(std::int64_t steps_done) override;
  void before_step(std::int64_t step) override;
  void after_step(const StepReport& report) override;
  void after_interval(const StepReport& last, const Interval& interval) override;

 private:
  void tell_rate(const StepReport& report);
  void tell_disk();

  /// Of what there is nothing to say before the first step.
  struct OfSteps {
    explicit OfSteps(metrics::Registry& registry);
    metrics::Gauge epoch, loss, grad_norm, lr, ema_decay, loss_scale, rate, flops, time_left;
  };

  metrics::Registry& registry_;
  Run run_;
  metrics::Gauge step_, images_, disk_free_, disk_size_;
  std::optional<OfSteps> steps_;
  std::optional<metrics::Gauge> mfu_;
  std::vector<std::optional<metrics::Gauge>> timestep_loss_;
  metrics::Counter steps_done_, images_done_, bad_, overflowed_;
  std::deque<double> walls_s_;  ///< of the last steps
  Pace pace_;
};

}  // namespace effuse
