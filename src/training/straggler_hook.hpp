#pragma once

#include <optional>
#include <string>
#include <vector>

#include "comm/communicator.hpp"
#include "config/config.hpp"
#include "metrics/registry.hpp"
#include "training/straggler.hpp"
#include "training/trainer.hpp"

namespace effuse {

/// Compares the ranks' speeds every parallel.straggler_every_steps steps, of at least two ranks.
/// Rank 0 names those that are slow, and says it when they have recovered. The ranks wait for each
/// other at these steps and at no others.
class StragglerHook : public TrainingHook {
 public:
  /// `batch_size` is global. `registry` is used at rank 0.
  StragglerHook(Communicator& comm, const ParallelConfig& config, std::int64_t batch_size,
                metrics::Registry& registry);

  void before_training(std::int64_t steps_done) override;
  void after_step(const StepReport& report) override;

 private:
  struct Gauges {
    std::vector<metrics::Gauge> speed;
    metrics::Gauge slowest;
  };

  void judge(const std::vector<std::string>& texts);
  std::string name_of(int rank) const;

  Communicator& comm_;
  std::int64_t every_steps_;
  std::int64_t images_;
  StragglerWatch watch_;
  std::optional<Gauges> gauges_;
  std::vector<std::string> hosts_;
  StepTimeline timeline_;
};

}  // namespace effuse
