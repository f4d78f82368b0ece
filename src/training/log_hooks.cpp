#include "training/log_hooks.hpp"

#include <limits>
#include <utility>
#include <vector>

#include "core/log.hpp"
#include "core/text.hpp"
#include "core/unix_time.hpp"

namespace effuse {
namespace {

constexpr std::int64_t kStepsToJudge = 10;
constexpr double kWorthTelling_s = 60.0;

/// JSON's null where there is none.
std::vector<double> list_of(
    const std::array<std::optional<double>, TimestepLosses::kRanges>& means) {
  std::vector<double> list;
  for (const auto& mean : means) {
    list.push_back(mean.value_or(std::numeric_limits<double>::quiet_NaN()));
  }
  return list;
}

}  // namespace

ProgressHook::ProgressHook(std::int64_t total_steps, std::int64_t batch_size, ProgressStyle style)
    : total_steps_(total_steps), batch_size_(batch_size), style_(style) {}

void ProgressHook::before_training(std::int64_t steps_done) {
  progress_.emplace(Progress::Options{.task = "train",
                                      .unit = "steps",
                                      .total = static_cast<std::uint64_t>(total_steps_),
                                      .start = static_cast<std::uint64_t>(steps_done),
                                      .style = style_});
  watch_ = Stopwatch();
}

void ProgressHook::after_step(const StepReport& report) {
  elapsed_s_ += watch_.lap_s();
  ++steps_here_;
  const double rate = static_cast<double>(steps_here_ * batch_size_) / elapsed_s_;
  if (steps_here_ == kStepsToJudge) tell_expected_time(report.step);
  progress_->update(static_cast<std::uint64_t>(report.step),
                    cat("loss ", fixed(report.loss, 4), " | ", fixed(rate, 1), " images/s"));
}

/// Nothing of a run that is soon over.
void ProgressHook::tell_expected_time(std::int64_t step) const {
  const double step_s = elapsed_s_ / static_cast<double>(steps_here_);
  const double left_s = step_s * static_cast<double>(total_steps_ - step);
  if (style_ == ProgressStyle::silent || left_s < kWorthTelling_s) return;
  log::info("expected    ", human_seconds(left_s), " for ",
            human_count(static_cast<std::uint64_t>(total_steps_ - step)), " more steps, at ",
            fixed(1e3 * step_s, 0), " ms a step");
}

void ProgressHook::after_training(std::int64_t, TrainingEnd) { progress_->finish(); }

JsonlHook::JsonlHook(metrics::JsonlWriter& writer, std::int64_t batch_size,
                     std::int64_t every_steps, std::int64_t total_steps)
    : writer_(writer),
      batch_size_(batch_size),
      every_steps_(every_steps),
      total_steps_(total_steps) {}

void JsonlHook::before_training(std::int64_t) { line_s_ = steady_time_s(); }

void JsonlHook::after_step(const StepReport& report) {
  losses_.add(report.timestep_losses);
  ++steps_;
  if (report.step % every_steps_ != 0 && report.step != total_steps_) return;
  const auto images = static_cast<double>(std::exchange(steps_, 0) * batch_size_);
  const double seconds = report.ended_s - std::exchange(line_s_, report.ended_s);
  writer_.write({{"step", report.step},
                 {"images", report.images},
                 {"epoch", report.epoch},
                 {"loss", report.loss},
                 {"grad_norm", report.grad_norm},
                 {"lr", report.lr},
                 {"good", report.good},
                 {"time_s", unix_time_s()},
                 {"images_per_s", images / seconds},
                 {"timestep_loss", list_of(std::exchange(losses_, {}).means())},
                 {"ema_decay", report.ema_decay},
                 {"loss_scale", report.loss_scale},
                 {"data_wait_s", report.data_wait_s},
                 {"upload_s", report.upload_s},
                 {"forward_s", report.forward_s},
                 {"backward_s", report.backward_s},
                 {"exposed_communication_s", report.exposed_s},
                 {"communication_s", report.communication_s},
                 {"update_s", report.update_s}});
}

}  // namespace effuse
