#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace effuse {

/// Where a run stands, besides its tensors.
struct RunState {
  std::int64_t step = 0;            ///< optimiser steps done
  std::int64_t images_seen = 0;     ///< position in the endless stream of images
  std::uint64_t seed = 0;           ///< key of all random numbers
  std::string config_toml;          ///< the resolved configuration
  std::string dataset_fingerprint;  ///< of the data set's manifest: continue on the same data only
  std::vector<std::string> class_names;  ///< by label; empty for an unconditional model
  int world_size = 1;                    ///< ranks that wrote it; may differ when continued

  bool operator==(const RunState&) const = default;
};

/// state.json, and back. `where` names the file in a CheckpointError.
std::string to_json(const RunState& state);
RunState run_state_from_json(const std::string& text, const std::string& where);

}  // namespace effuse
