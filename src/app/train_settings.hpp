#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "models/network.hpp"
#include "shards/sharded_dataset.hpp"

namespace effuse {

/// Throws ConfigError unless run.name can be the name of a folder in run.folder.
void require_run_name(const RunConfig& run);

/// Throws ConfigError for settings that do not go together, which the range of one cannot say.
void require_settings(const Config& config);

/// The names of settings that this model or optimiser has no use for.
void warn_of_ineffective_keys(const Config& config);

/// The data set of data.folder. Throws ConfigError where none is named.
ShardedDataset open_dataset(const DataConfig& data);

/// How many of `size` images may be damaged: data.max_bad_share of them, rounded down.
std::int64_t damaged_images_allowed(const DataConfig& data, std::int64_t size);

/// "7,644,515 parameters", and how many of them the network has no use for.
std::string parameters_of(const Network& network);

/// By label; empty for a model without classes.
std::vector<std::string> class_names_of(const ShardedDataset& dataset, const ModelConfig& model);

/// What effuse-train reads of a configuration file, and run folders hold.
const std::vector<std::string>& train_sections();

}  // namespace effuse
