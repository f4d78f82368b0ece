#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace effuse {

/// The small numbers that training keeps from step to step.
struct ControlState {
  double loss_scale = 0.0;       ///< of fp16; 0: the loss was not scaled
  std::int64_t clean_steps = 0;  ///< since the loss scale last changed
  std::int64_t updates = 0;      ///< of the weights; steps that were skipped made none
  double norm_average = 0.0;     ///< running average of gradient norms
  std::int64_t norm_count = 0;   ///< norms in it
  double lr_factor = 1.0;        ///< of the learning rate, lowered when a checkpoint was restored
  std::int64_t restores = 0;     ///< how often that was done

  bool operator==(const ControlState&) const = default;
};

/// Where a run stands, besides its tensors.
struct RunState {
  std::int64_t step = 0;            ///< optimiser steps done
  std::int64_t images_seen = 0;     ///< position in the endless stream of images
  std::uint64_t seed = 0;           ///< key of all random numbers
  std::string config_toml;          ///< the resolved configuration
  std::string dataset_fingerprint;  ///< of the data set's manifest: continue on the same data only
  std::vector<std::string> class_names;  ///< by label; empty for an unconditional model
  int world_size = 1;                    ///< ranks that wrote it; may differ when continued
  ControlState control = {};

  bool operator==(const RunState&) const = default;
};

/// state.json, and back. `where` names the file in a CheckpointError.
std::string to_json(const RunState& state);
RunState run_state_from_json(const std::string& text, const std::string& where);

}  // namespace effuse
