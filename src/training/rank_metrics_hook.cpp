#include "training/rank_metrics_hook.hpp"

#include <c10/core/CachingDeviceAllocator.h>

#include <algorithm>
#include <utility>

#include "core/process_memory.hpp"

namespace effuse {
namespace {

using metrics::series;

metrics::Histogram part(metrics::Registry& registry, const char* name) {
  return registry.histogram(series("effuse_train_step_part_seconds"), {{"part", name}});
}

}  // namespace

RankMetricsHook::RankMetricsHook(metrics::Registry& r, c10::Device device,
                                 std::int64_t log_every_steps, std::function<Data()> data)
    : device_(device),
      log_every_steps_(log_every_steps),
      data_(std::move(data)),
      data_wait_(part(r, "data_wait")),
      upload_(part(r, "upload")),
      forward_(part(r, "forward")),
      backward_(part(r, "backward")),
      exposed_(part(r, "exposed_communication")),
      hidden_(part(r, "hidden_communication")),
      update_(part(r, "update")),
      queued_(r.gauge(series("effuse_data_queued_batches"))),
      resident_(r.gauge(series("effuse_memory_resident_bytes"))),
      bytes_(r.counter(series("effuse_data_read_bytes_total"))),
      damaged_(r.counter(series("effuse_data_damaged_images_total"))) {
  if (device.is_cpu()) return;
  allocated_ = r.gauge(series("effuse_memory_device_allocated_bytes"));
  reserved_ = r.gauge(series("effuse_memory_device_reserved_bytes"));
}

void RankMetricsHook::before_training(std::int64_t) { tell_memory(); }

void RankMetricsHook::after_step(const StepReport& report) {
  data_wait_.observe(report.data_wait_s);
  upload_.observe(report.upload_s);
  forward_.observe(report.forward_s);
  backward_.observe(report.backward_s);
  exposed_.observe(report.exposed_s);
  hidden_.observe(std::max(0.0, report.communication_s - report.exposed_s));
  update_.observe(report.update_s);
  tell_data();
  if (report.step % log_every_steps_ == 0) tell_memory();
}

void RankMetricsHook::tell_data() {
  const Data data = data_();
  queued_.set(data.queued_batches);
  bytes_.add(static_cast<double>(data.bytes - bytes_told_));
  bytes_told_ = data.bytes;
  // These are of the process: an earlier loop over the same data may have told of some.
  damaged_.add(static_cast<double>(data.damaged_images) - damaged_.value());
}

void RankMetricsHook::tell_memory() {
  resident_.set(resident_bytes());
  if (!allocated_) return;
  constexpr auto kAll = static_cast<std::size_t>(c10::CachingAllocator::StatType::AGGREGATE);
  const auto stats = at::getDeviceAllocator(device_.type())->getDeviceStats(device_.index());
  allocated_->set(static_cast<double>(stats.allocated_bytes[kAll].current));
  reserved_->set(static_cast<double>(stats.reserved_bytes[kAll].current));
}

}  // namespace effuse
