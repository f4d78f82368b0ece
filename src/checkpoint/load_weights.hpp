#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "checkpoint/run_state.hpp"
#include "checkpoint/safetensors.hpp"

namespace effuse {

enum class WeightsKind { ema, model };

/// "ema" or "model", as sampling.weights_kind says it. Throws ConfigError for another word.
WeightsKind weights_kind_from(const std::string& word);

/// Weights of a checkpoint without the rest, for generating and evaluating.
struct LoadedWeights {
  NamedTensors tensors;
  RunState state;
  std::filesystem::path folder;      ///< the step's folder they come from
  std::string sha256;                ///< of the weights' file: what they are, in one line
  std::vector<std::string> damaged;  ///< a sentence for each newer checkpoint passed over
};

/// Loads from a run folder or its checkpoints/ (the newest checkpoint whose weights are whole), or
/// from one step's folder, `latest` included. A folder that holds weights alone (StepFolder) has
/// one set of them, which serves for both kinds. Only the files needed are read and verified.
/// Throws CheckpointError where there is nothing, or nothing valid.
LoadedWeights load_weights(const std::filesystem::path& path, WeightsKind kind);

}  // namespace effuse
