#pragma once

#include <cstdint>
#include <functional>
#include <future>
#include <optional>

#include "checkpoint/checkpoint_folder.hpp"
#include "config/config.hpp"
#include "training/checkpoint_metrics.hpp"
#include "training/flat_state.hpp"
#include "training/state_snapshot.hpp"

namespace effuse {

/// Writes checkpoints, and removes old ones, in a thread of its own: training stands still for a
/// copy in memory alone. One at a time, in one process (rank 0).
///
/// A save that fails is tried once more; failing again, it is reported by the next save() or
/// wait(), with the checkpoints before it intact. A state with a number that is not finite is
/// refused (require_finite()).
class CheckpointWriter {
 public:
  struct Parts {
    CheckpointFolder folder;
    CheckpointConfig config;
    /// In the thread, before the checkpoint of that step: what must be on disk by then. May throw.
    std::function<void(std::int64_t step)> before_save = {};
    std::optional<CheckpointMetrics> metrics = {};
    /// In the thread, once a checkpoint is complete. Throws nothing.
    std::function<void()> after_save = {};
    double retry_after_s = 2.0;  ///< a network's file system may have had a moment of weakness
  };

  explicit CheckpointWriter(Parts parts);

  /// Waits for the checkpoint that is being written. Where it failed, that is logged.
  ~CheckpointWriter();
  CheckpointWriter(const CheckpointWriter&) = delete;
  CheckpointWriter& operator=(const CheckpointWriter&) = delete;

  /// Allocates the memory for snapshots, so that the first save() need not.
  void prepare(const FlatState& state);

  /// Takes a snapshot of the state as it is now and begins to write it (checkpoint.background =
  /// false: writes it); waits for the one before first, and throws what became of that.
  void save(const FlatState& state, const RunState& run_state);

  /// Returns when nothing is being written any more. Throws the failure of what was:
  /// CheckpointError or what `before_save` threw.
  void wait();

 private:
  bool is_writing() const;
  void write();
  void write_once();

  Parts parts_;
  StateSnapshot snapshot_;
  std::future<void> writing_;
};

}  // namespace effuse
