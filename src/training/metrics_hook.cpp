#include "training/metrics_hook.hpp"

#include <utility>
#include <vector>

namespace effuse {
namespace {

const std::vector<double> kStepBounds_s = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                           0.25,  0.5,    1,     2.5,  5,     10,   30};

metrics::Histogram part(metrics::Registry& registry, const char* name) {
  return registry.histogram("effuse_train_step_part_seconds", "Parts of an optimiser step",
                            kStepBounds_s, {{"part", name}});
}

metrics::Counter skipped(metrics::Registry& registry, const char* reason) {
  return registry.counter("effuse_train_skipped_steps_total",
                          "Steps of this process that changed nothing", {{"reason", reason}});
}

metrics::Counter restores(metrics::Registry& registry) {
  return registry.counter("effuse_train_restores_total",
                          "Times this process went back to a checkpoint");
}

}  // namespace

void count_restore(metrics::Registry& registry) { restores(registry).add(); }

MetricsHook::MetricsHook(metrics::Registry& r, std::int64_t total_steps,
                         std::function<int()> queued_batches)
    : step_(r.gauge("effuse_train_step", "Optimiser steps of the run that are done")),
      total_steps_(r.gauge("effuse_train_step_target", "Optimiser steps the run will have")),
      images_(r.gauge("effuse_train_images_seen", "Images the run has seen")),
      epoch_(r.gauge("effuse_train_epoch", "Epoch of the last image seen, from 0")),
      loss_(r.gauge("effuse_train_loss", "Mean loss of the last global batch")),
      grad_norm_(r.gauge("effuse_train_grad_norm", "Global gradient norm before clipping")),
      lr_(r.gauge("effuse_train_learning_rate", "Learning rate of the last step")),
      ema_decay_(r.gauge("effuse_train_ema_decay", "Decay of the averaged weights")),
      rate_(r.gauge("effuse_train_images_per_second", "Images per second over all ranks")),
      loss_scale_(r.gauge("effuse_train_loss_scale", "Loss scale of fp16; 1 without")),
      queued_(r.gauge("effuse_data_queued_batches", "Batches read ahead and waiting")),
      steps_done_(r.counter("effuse_train_steps_total", "Optimiser steps of this process")),
      images_done_(r.counter("effuse_train_images_total", "Images seen by this process")),
      bad_(skipped(r, "bad")),
      overflowed_(skipped(r, "overflow")),
      data_wait_(part(r, "data_wait")),
      forward_(part(r, "forward")),
      backward_(part(r, "backward")),
      exposed_(part(r, "exposed_communication")),
      update_(part(r, "update")),
      queued_batches_(std::move(queued_batches)) {
  restores(r);  // there, and 0, from the begin
  total_steps_.set(static_cast<double>(total_steps));
}

void MetricsHook::before_training(std::int64_t steps_done) {
  step_.set(static_cast<double>(steps_done));
  watch_ = Stopwatch();
}

void MetricsHook::after_step(const StepReport& report) {
  const auto images_of_step = static_cast<double>(report.images) / static_cast<double>(report.step);
  step_.set(static_cast<double>(report.step));
  images_.set(static_cast<double>(report.images));
  epoch_.set(static_cast<double>(report.epoch));
  loss_.set(report.loss);
  grad_norm_.set(report.grad_norm);
  lr_.set(report.lr);
  ema_decay_.set(report.ema_decay);
  rate_.set(images_of_step / watch_.lap_s());
  loss_scale_.set(report.loss_scale);
  if (!report.good) (report.overflowed() ? overflowed_ : bad_).add();
  queued_.set(queued_batches_());
  steps_done_.add();
  images_done_.add(images_of_step);
  data_wait_.observe(report.data_wait_s);
  forward_.observe(report.forward_s);
  backward_.observe(report.backward_s);
  exposed_.observe(report.exposed_s);
  update_.observe(report.update_s);
}

}  // namespace effuse
