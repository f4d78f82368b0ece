#include "training/trainer.hpp"

#include <utility>

#include "core/stop.hpp"
#include "training/stopwatch.hpp"

namespace effuse {

Trainer::Trainer(TrainStep& step, Loader& loader, std::int64_t total_steps,
                 std::vector<std::unique_ptr<TrainingHook>> hooks)
    : step_(step), loader_(loader), total_steps_(total_steps), hooks_(std::move(hooks)) {}

StepReport Trainer::make_step() {
  Stopwatch watch;
  const Batch batch = loader_.next();
  const double data_wait_s = watch.lap_s();
  StepReport report = step_.run(batch, stop_signal() != 0);
  report.data_wait_s = data_wait_s;
  return report;
}

TrainingEnd Trainer::run(std::int64_t steps_done) {
  for (const auto& hook : hooks_) hook->before_training(steps_done);
  bool stopping = false;
  while (steps_done < total_steps_ && !stopping) {
    const StepReport report = make_step();
    steps_done = report.step;
    stopping = report.stop_agreed;
    for (const auto& hook : hooks_) hook->after_step(report);
  }
  const TrainingEnd end = steps_done >= total_steps_ ? TrainingEnd::finished : TrainingEnd::stopped;
  for (const auto& hook : hooks_) hook->after_training(steps_done, end);
  return end;
}

}  // namespace effuse
