#include "training/checkpoint_metrics.hpp"

#include <vector>

#include "core/unix_time.hpp"

namespace effuse {
namespace {

const std::vector<double> kStallBounds_s = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
                                            0.5,   1,      2.5,   5,    10,    30,   60,  300};
const std::vector<double> kWriteBounds_s = {0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800};

}  // namespace

CheckpointMetrics::CheckpointMetrics(metrics::Registry& r)
    : size_bytes_(r.gauge("effuse_checkpoint_size_bytes", "Size of the last checkpoint")),
      last_success_(r.gauge("effuse_checkpoint_last_success_timestamp_seconds",
                            "When the last checkpoint was complete")),
      saved_(r.counter("effuse_checkpoints_total", "Checkpoints written by this process")),
      failed_(r.counter("effuse_checkpoint_failures_total",
                        "Attempts of this process to write a checkpoint that failed")),
      stall_s_(r.histogram("effuse_checkpoint_save_seconds",
                           "Time training stood still for a checkpoint", kStallBounds_s)),
      write_s_(r.histogram("effuse_checkpoint_write_seconds",
                           "Time from a checkpoint's snapshot until it was complete on disk",
                           kWriteBounds_s)) {}

void CheckpointMetrics::stalled(double seconds) { stall_s_.observe(seconds); }

void CheckpointMetrics::saved(std::uint64_t size_bytes, double seconds) {
  size_bytes_.set(static_cast<double>(size_bytes));
  last_success_.set(unix_time_s());
  saved_.add();
  write_s_.observe(seconds);
}

void CheckpointMetrics::failed() { failed_.add(); }

}  // namespace effuse
