#include "training/progress_hook.hpp"

#include "core/log.hpp"
#include "core/text.hpp"

namespace effuse {
namespace {

constexpr std::int64_t kStepsToJudge = 10;
constexpr double kWorthTelling_s = 60.0;

}  // namespace

ProgressHook::ProgressHook(std::int64_t total_steps, std::int64_t batch_size, ProgressStyle style)
    : total_steps_(total_steps), batch_size_(batch_size), style_(style) {}

/// Its clock starts here: what hooks do before training is of no step.
void ProgressHook::before_step(std::int64_t step) {
  pace_.begin_step();
  if (progress_) return;
  progress_.emplace(Progress::Options{.task = "train",
                                      .unit = "steps",
                                      .total = static_cast<std::uint64_t>(total_steps_),
                                      .start = static_cast<std::uint64_t>(step - 1),
                                      .style = style_});
}

void ProgressHook::after_step(const StepReport& report) {
  pace_.end_step(report.ended_s);
  const double rate = static_cast<double>(batch_size_) / pace_.step_s();
  if (pace_.steps() == kStepsToJudge) tell_expected_time(report.step);
  progress_->update(static_cast<std::uint64_t>(report.step),
                    cat("loss ", fixed(report.loss, 4), " | ", fixed(rate, 1), " images/s"));
}

/// Nothing of a run that is soon over.
void ProgressHook::tell_expected_time(std::int64_t step) const {
  const double step_s = pace_.step_s();
  const double left_s = step_s * static_cast<double>(total_steps_ - step);
  if (style_ == ProgressStyle::silent || left_s < kWorthTelling_s) return;
  log::info("expected    ", human_seconds(left_s), " for ",
            human_count(static_cast<std::uint64_t>(total_steps_ - step)), " more steps, at ",
            fixed(1e3 * step_s, 0), " ms a step");
}

void ProgressHook::after_training(std::int64_t, TrainingEnd) {
  if (progress_) progress_->finish();
}

}  // namespace effuse
