#include "training/metrics_hook.hpp"

#include <system_error>
#include <utility>

#include "core/unix_time.hpp"

namespace effuse {
namespace {

using metrics::series;

/// Steps over which a rate is taken: the host learns of two at a time what became of them.
constexpr std::size_t kRateSteps = 10;

metrics::Gauge gauge(metrics::Registry& registry, const char* name) {
  return registry.gauge(series(name));
}

metrics::Counter skipped(metrics::Registry& registry, const char* reason) {
  return registry.counter(series("effuse_train_skipped_steps_total"), {{"reason", reason}});
}

metrics::Counter restores(metrics::Registry& registry) {
  return registry.counter(series("effuse_train_restores_total"));
}

}  // namespace

void count_restore(metrics::Registry& registry) { restores(registry).add(); }

MetricsHook::MetricsHook(metrics::Registry& r, Run run)
    : registry_(r),
      run_(std::move(run)),
      step_(gauge(r, "effuse_train_step")),
      images_(gauge(r, "effuse_train_images_seen")),
      epoch_(gauge(r, "effuse_train_epoch")),
      loss_(gauge(r, "effuse_train_loss")),
      grad_norm_(gauge(r, "effuse_train_grad_norm")),
      lr_(gauge(r, "effuse_train_learning_rate")),
      ema_decay_(gauge(r, "effuse_train_ema_decay")),
      rate_(gauge(r, "effuse_train_images_per_second")),
      flops_(gauge(r, "effuse_train_model_flops_per_second")),
      time_left_(gauge(r, "effuse_train_time_left_seconds")),
      loss_scale_(gauge(r, "effuse_train_loss_scale")),
      disk_free_(gauge(r, "effuse_disk_free_bytes")),
      disk_size_(gauge(r, "effuse_disk_size_bytes")),
      timestep_loss_(TimestepLosses::kRanges),
      steps_done_(r.counter(series("effuse_train_steps_total"))),
      images_done_(r.counter(series("effuse_train_images_total"))),
      bad_(skipped(r, "bad")),
      overflowed_(skipped(r, "overflow")) {
  restores(r);  // there, and 0, from the begin
  gauge(r, "effuse_train_step_target").set(static_cast<double>(run_.total_steps));
  gauge(r, "effuse_train_epoch_target")
      .set(static_cast<double>(run_.total_steps * run_.batch_size) /
           static_cast<double>(run_.dataset_size));
}

void MetricsHook::before_training(std::int64_t steps_done) {
  step_.set(static_cast<double>(steps_done));
  images_.set(static_cast<double>(steps_done * run_.batch_size));
  gauge(registry_, "effuse_train_start_timestamp_seconds").set(unix_time_s());
  tell_disk();
  watch_.lap_s();
  reported_s_ = {0.0};
}

void MetricsHook::after_step(const StepReport& report) {
  step_.set(static_cast<double>(report.step));
  images_.set(static_cast<double>(report.images));
  epoch_.set(static_cast<double>(report.epoch));
  loss_.set(report.loss);
  grad_norm_.set(report.grad_norm);
  lr_.set(report.lr);
  ema_decay_.set(report.ema_decay);
  loss_scale_.set(report.loss_scale);
  if (!report.good) (report.overflowed() ? overflowed_ : bad_).add();
  steps_done_.add();
  images_done_.add(static_cast<double>(run_.batch_size));
  tell_rate(report);
  tell_losses_by_timestep(report);
  if (report.step % run_.log_every_steps == 0) tell_disk();
}

void MetricsHook::tell_rate(const StepReport& report) {
  const double elapsed_s = watch_.elapsed_s();
  reported_s_.push_back(elapsed_s);
  if (reported_s_.size() > kRateSteps + 1) reported_s_.pop_front();
  const auto steps = static_cast<double>(reported_s_.size() - 1);
  const double rate =
      steps * static_cast<double>(run_.batch_size) / (elapsed_s - reported_s_.front());
  const double flops = rate * run_.flops_per_image;
  rate_.set(rate);
  flops_.set(flops);
  if (run_.peak_flops_per_s > 0) {
    if (!mfu_) mfu_ = gauge(registry_, "effuse_train_mfu_ratio");
    mfu_->set(flops / run_.peak_flops_per_s);
  }
  ++steps_here_;
  time_left_.set(static_cast<double>(run_.total_steps - report.step) * elapsed_s /
                 static_cast<double>(steps_here_));
}

void MetricsHook::tell_losses_by_timestep(const StepReport& report) {
  losses_.add(report.timestep_losses);
  if (report.step % run_.log_every_steps != 0) return;
  const auto means = std::exchange(losses_, {}).means();
  const auto ranges = timestep_ranges(run_.timesteps);
  for (std::size_t i = 0; i < means.size(); ++i) {
    if (!means[i]) continue;
    if (!timestep_loss_[i]) {
      timestep_loss_[i] =
          registry_.gauge(series("effuse_train_timestep_loss"), {{"timesteps", ranges[i]}});
    }
    timestep_loss_[i]->set(*means[i]);
  }
}

void MetricsHook::tell_disk() {
  std::error_code problem;
  const auto space = std::filesystem::space(run_.folder, problem);
  if (problem) return;
  disk_free_.set(static_cast<double>(space.available));
  disk_size_.set(static_cast<double>(space.capacity));
}

}  // namespace effuse
