#include "training/checkpoint_metrics.hpp"

#include "core/unix_time.hpp"

namespace effuse {

using metrics::series;
CheckpointMetrics::CheckpointMetrics(metrics::Registry& r)
    : registry_(&r),
      saved_(r.counter(series("effuse_checkpoints_total"))),
      failed_(r.counter(series("effuse_checkpoint_failures_total"))),
      stall_s_(r.histogram(series("effuse_checkpoint_save_seconds"))),
      write_s_(r.histogram(series("effuse_checkpoint_write_seconds"))) {}

void CheckpointMetrics::stalled(double seconds) { stall_s_.observe(seconds); }

void CheckpointMetrics::saved(std::int64_t step, std::uint64_t size_bytes, double seconds) {
  // Absent before the first one: a time of 0 would be a checkpoint of 1970.
  const auto set = [this](const char* name, double value) {
    registry_->gauge(series(name)).set(value);
  };
  set("effuse_checkpoint_step", static_cast<double>(step));
  set("effuse_checkpoint_size_bytes", static_cast<double>(size_bytes));
  set("effuse_checkpoint_last_success_timestamp_seconds", unix_time_s());
  saved_.add();
  write_s_.observe(seconds);
}

void CheckpointMetrics::failed() { failed_.add(); }

}  // namespace effuse
