#include "training/log_hooks.hpp"

#include "core/text.hpp"
#include "core/unix_time.hpp"

namespace effuse {

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
  progress_->update(static_cast<std::uint64_t>(report.step),
                    cat("loss ", fixed(report.loss, 4), " | ", fixed(rate, 1), " images/s"));
}

void ProgressHook::after_training(std::int64_t, TrainingEnd) { progress_->finish(); }

JsonlHook::JsonlHook(metrics::JsonlWriter& writer, std::int64_t every_steps,
                     std::int64_t total_steps)
    : writer_(writer), every_steps_(every_steps), total_steps_(total_steps) {}

void JsonlHook::after_step(const StepReport& report) {
  if (report.step % every_steps_ != 0 && report.step != total_steps_) return;
  writer_.write({{"step", report.step},
                 {"images", report.images},
                 {"epoch", report.epoch},
                 {"loss", report.loss},
                 {"grad_norm", report.grad_norm},
                 {"lr", report.lr},
                 {"good", report.good},
                 {"time_s", unix_time_s()},
                 {"data_wait_s", report.data_wait_s},
                 {"forward_s", report.forward_s},
                 {"backward_s", report.backward_s},
                 {"exposed_communication_s", report.exposed_s},
                 {"communication_s", report.communication_s},
                 {"update_s", report.update_s}});
}

}  // namespace effuse
