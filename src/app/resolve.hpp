#pragma once

#include "comm/communicator.hpp"
#include "config/config.hpp"
#include "shards/sharded_dataset.hpp"

namespace effuse {

/// `model` with what it takes from the data set filled in. Throws DataError where the data set's
/// image size, channels or classes are not the model's.
ModelConfig resolve_model(const ModelConfig& model, const ShardedDataset& dataset);

/// Collective. Throws ConfigError, on every rank, naming the ranks and keys in which the
/// configuration differs from rank 0's.
void require_same_config(Communicator& comm, const Config& config);

/// Collective. Throws DataError, at every rank, unless all ranks have opened the same data set:
/// copies on the disks of the nodes may differ.
void require_same_dataset(Communicator& comm, const ShardedDataset& dataset);

}  // namespace effuse
