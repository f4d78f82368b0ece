#pragma once

#include <string>

#include "checkpoint/load_weights.hpp"
#include "checkpoint/safetensors.hpp"
#include "exchange/torch_file.hpp"

namespace effuse {

/// The tensors of a torch file: those of its "model" or "ema_model" where it is a dictionary of
/// IDDM, or all of a state_dict by itself; by the names of today (without "module.", the class
/// embedding as condition_adapter.label_emb.weight). `where` names the file. Throws ConfigError
/// where the kind asked for was not saved, CheckpointError where there are no weights.
NamedTensors iddm_tensors(TorchFile& file, WeightsKind kind, const std::string& where);

/// The dictionary around the weights; null where the file is a state_dict by itself.
const PickleDict* iddm_dictionary(const TorchFile& file);

}  // namespace effuse
