#include "training/trainer.hpp"

#include <algorithm>
#include <utility>

#include "core/stop.hpp"

namespace effuse {

Trainer::Trainer(TrainStep& step, BatchFeed& feed, const TrainerLimits& limits,
                 std::vector<std::unique_ptr<TrainingHook>> hooks)
    : step_(step), feed_(feed), limits_(limits), hooks_(std::move(hooks)) {}

void Trainer::launch(std::int64_t step) {
  for (const auto& hook : hooks_) hook->before_step(step);
  Stopwatch watch;
  const Batch batch = feed_.next();
  data_waits_s_.push_back(watch.lap_s());
  step_.launch(batch, stop_signal() != 0);
  feed_.prefetch();
}

void Trainer::finish_oldest() {
  StepReport report = step_.finish();
  report.data_wait_s = data_waits_s_.front();
  data_waits_s_.pop_front();
  report.upload_s = feed_.upload_s();
  steps_done_ = report.step;
  stopping_ = stopping_ || report.stop_agreed;
  count_bad(report);
  report.wall_s = between_reports_.lap_s();
  for (const auto& hook : hooks_) hook->after_step(report);
  between_reports_.lap_s();
}

/// That training has diverged holds, whatever becomes of the step that is under way.
void Trainer::count_bad(const StepReport& report) {
  if (report.good) {
    bad_in_a_row_ = 0;
  } else if (!report.overflowed()) {
    ++bad_in_a_row_;
  }
  diverged_ = diverged_ || bad_in_a_row_ > limits_.bad_steps;
}

bool Trainer::looks_at_state(std::int64_t step) const {
  return std::ranges::any_of(hooks_, [&](const auto& hook) { return hook->looks_at_state(step); });
}

TrainingEnd Trainer::run(std::int64_t steps_done) {
  steps_done_ = steps_done;
  for (const auto& hook : hooks_) hook->before_training(steps_done);
  between_reports_.lap_s();
  for (std::int64_t step = steps_done + 1; step <= limits_.total_steps; ++step) {
    launch(step);
    const bool wait = step == limits_.total_steps || looks_at_state(step);
    while (step_.in_flight() > (wait ? 0U : 1U)) finish_oldest();
    if (stopping_ || diverged_) break;
  }
  while (step_.in_flight() > 0) finish_oldest();
  const TrainingEnd end = diverged_                            ? TrainingEnd::diverged
                          : steps_done_ >= limits_.total_steps ? TrainingEnd::finished
                                                               : TrainingEnd::stopped;
  for (const auto& hook : hooks_) hook->after_training(steps_done_, end);
  return end;
}

}  // namespace effuse
