#pragma once

#include <cstdint>

#include "metrics/registry.hpp"

namespace effuse {

/// What checkpoints cost, as Prometheus series. Handles: to be copied, and used from any thread.
class CheckpointMetrics {
 public:
  /// `registry` must outlive this.
  explicit CheckpointMetrics(metrics::Registry& registry);

  /// Training stood still for `seconds`.
  void stalled(double seconds);

  /// That of `step` is complete; writing it took `seconds`.
  void saved(std::int64_t step, std::uint64_t size_bytes, double seconds);

  /// An attempt to write one failed.
  void failed();

 private:
  metrics::Registry* registry_;
  metrics::Counter saved_, failed_;
  metrics::Histogram stall_s_, write_s_;
};

}  // namespace effuse
