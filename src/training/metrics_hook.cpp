#include "training/metrics_hook.hpp"

#include <numeric>
#include <system_error>
#include <utility>

#include "training/stopwatch.hpp"

namespace effuse {
namespace {

using metrics::series;

/// Steps over which a rate is taken.
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

MetricsHook::OfSteps::OfSteps(metrics::Registry& r)
    : epoch(gauge(r, "effuse_train_epoch")),
      loss(gauge(r, "effuse_train_loss")),
      grad_norm(gauge(r, "effuse_train_grad_norm")),
      lr(gauge(r, "effuse_train_learning_rate")),
      ema_decay(gauge(r, "effuse_train_ema_decay")),
      loss_scale(gauge(r, "effuse_train_loss_scale")),
      rate(gauge(r, "effuse_train_images_per_second")),
      flops(gauge(r, "effuse_train_model_flops_per_second")),
      time_left(gauge(r, "effuse_train_time_left_seconds")) {}

MetricsHook::MetricsHook(metrics::Registry& r, Run run)
    : registry_(r),
      run_(std::move(run)),
      step_(gauge(r, "effuse_train_step")),
      images_(gauge(r, "effuse_train_images_seen")),
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
  tell_disk();
}

void MetricsHook::before_step(std::int64_t) { pace_.begin_step(); }

void MetricsHook::after_step(const StepReport& report) {
  step_.set(static_cast<double>(report.step));
  images_.set(static_cast<double>(report.images));
  if (!steps_) steps_.emplace(registry_);
  steps_->epoch.set(static_cast<double>(report.epoch));
  steps_->loss.set(report.loss);
  steps_->grad_norm.set(report.grad_norm);
  steps_->lr.set(report.lr);
  steps_->ema_decay.set(report.ema_decay);
  steps_->loss_scale.set(report.loss_scale);
  if (!report.good) (report.overflowed() ? overflowed_ : bad_).add();
  steps_done_.add();
  images_done_.add(static_cast<double>(run_.batch_size));
  tell_rate(report);
}

void MetricsHook::tell_rate(const StepReport& report) {
  walls_s_.push_back(report.wall_s);
  if (walls_s_.size() > kRateSteps) walls_s_.pop_front();
  const double images = static_cast<double>(walls_s_.size()) * static_cast<double>(run_.batch_size);
  const double rate = images / std::accumulate(walls_s_.begin(), walls_s_.end(), 0.0);
  const double flops = rate * run_.flops_per_image;
  steps_->rate.set(rate);
  steps_->flops.set(flops);
  if (run_.peak_flops_per_s > 0) {
    if (!mfu_) mfu_ = gauge(registry_, "effuse_train_mfu_ratio");
    mfu_->set(flops / run_.peak_flops_per_s);
  }
  pace_.end_step(report.ended_s);
  steps_->time_left.set(static_cast<double>(run_.total_steps - report.step) * pace_.step_s());
}

void MetricsHook::after_interval(const StepReport&, const Interval& interval) {
  tell_disk();
  const auto means = interval.losses.means();
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
