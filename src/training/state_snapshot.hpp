#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Event.h>

#include <map>
#include <optional>

#include "checkpoint/checkpoint_folder.hpp"
#include "training/flat_state.hpp"

namespace effuse {

/// A copy of all that a checkpoint holds, in memory of the host that is taken once and used again
/// (pinned where the state is on a GPU): as much as the weights, their average and the moments.
class StateSnapshot {
 public:
  /// Copies the state as it is now. Once this returns the state may change; on a GPU by work of the
  /// current stream. Not while contents() of the copy before are being read.
  void take(const FlatState& state, const RunState& run_state);

  /// The copy. From a GPU it is complete once wait() has returned.
  const CheckpointContents& contents() const { return contents_; }

  /// Returns when the copy is complete. From any thread.
  void wait() const;

 private:
  NamedTensors copies_of(const NamedTensors& views);
  at::Tensor copy_of(const at::Tensor& view);

  struct Buffer {
    at::Tensor bytes;
    bool filled = false;  // since take() was called
  };

  std::map<const void*, Buffer> buffers_;  // by the memory they are copies of
  std::optional<c10::Event> copied_;       // from a GPU only
  CheckpointContents contents_;
};

/// Throws CheckpointError, naming the first tensor, where a checkpoint of `contents`, on the CPU,
/// would hold a number that is not finite: every continuation would start from it.
void require_finite(const CheckpointContents& contents);

}  // namespace effuse
