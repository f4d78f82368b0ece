#pragma once

#include <optional>

#include "checkpoint/checkpoint_folder.hpp"
#include "comm/communicator.hpp"
#include "training/flat_state.hpp"

namespace effuse {

/// Collective. Copies a checkpoint, of which rank 0 has the contents, into the state of every rank:
/// one rank reads the disk, however many there are. Throws CheckpointError, on every rank, listing
/// each tensor that is missing, unexpected or of another shape; nothing is passed over.
void restore(FlatState& state, Communicator& comm,
             const std::optional<CheckpointContents>& contents_at_rank_0);

}  // namespace effuse
