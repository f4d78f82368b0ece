#pragma once

#include <string>

#include "shards/sharded_dataset.hpp"
#include "shards/statistics.hpp"
#include "shards/verify.hpp"

/// Texts for people, as effuse-inspect prints them. Lines end with a newline.
namespace effuse {

/// What the data set is: counts, classes as a bar chart, mean and deviation, shards.
std::string describe(const ShardedDataset& dataset, const DatasetStatistics& statistics);

/// The outcome of verify(), damaged images one by one.
std::string describe(const VerifyReport& report);

}  // namespace effuse
