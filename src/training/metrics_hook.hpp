#pragma once

#include <cstdint>
#include <functional>

#include "metrics/registry.hpp"
#include "training/stopwatch.hpp"
#include "training/trainer.hpp"

namespace effuse {

/// Counts that the run went back to a checkpoint.
void count_restore(metrics::Registry& registry);

/// The run's state as Prometheus series.
class MetricsHook : public TrainingHook {
 public:
  /// `queued_batches` tells how many batches wait in the loader.
  MetricsHook(metrics::Registry& registry, std::int64_t total_steps,
              std::function<int()> queued_batches);

  void before_training(std::int64_t steps_done) override;
  void after_step(const StepReport& report) override;

 private:
  metrics::Gauge step_, total_steps_, images_, epoch_, loss_, grad_norm_, lr_, ema_decay_, rate_,
      loss_scale_, queued_;
  metrics::Counter steps_done_, images_done_, bad_, overflowed_;
  metrics::Histogram data_wait_, forward_, backward_, exposed_, update_;
  std::function<int()> queued_batches_;
  Stopwatch watch_;
};

}  // namespace effuse
