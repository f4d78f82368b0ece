#pragma once

#include <c10/core/Device.h>

#include <cstdint>
#include <functional>
#include <optional>

#include "metrics/registry.hpp"
#include "training/trainer.hpp"

namespace effuse {

/// What one rank does, as Prometheus series: where its time goes, its data, its memory.
class RankMetricsHook : public TrainingHook {
 public:
  /// What the rank has read: bytes for this training loop, damage since the process began.
  struct Data {
    int queued_batches = 0;
    std::int64_t bytes = 0;
    std::int64_t damaged_images = 0;
  };

  /// Memory is looked at every `log_every_steps` steps.
  RankMetricsHook(metrics::Registry& registry, c10::Device device, std::int64_t log_every_steps,
                  std::function<Data()> data);

  void before_training(std::int64_t steps_done) override;
  void after_step(const StepReport& report) override;

 private:
  void tell_data();
  void tell_memory();

  c10::Device device_;
  std::int64_t log_every_steps_;
  std::function<Data()> data_;
  std::int64_t bytes_told_ = 0;
  metrics::Histogram data_wait_, upload_, forward_, backward_, exposed_, hidden_, update_;
  metrics::Gauge queued_, resident_;
  metrics::Counter bytes_, damaged_;
  std::optional<metrics::Gauge> allocated_, reserved_;  ///< on a GPU
};

}  // namespace effuse
