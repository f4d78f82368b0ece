#pragma once

#include <cstdint>
#include <vector>

#include "app/trained_model.hpp"
#include "config/config.hpp"

namespace effuse {

/// Images of each class in the data set that the model was trained on, by class number: for
/// sampling.classes = ["histogram"]; empty for other classes. That data set is sampling.dataset, or
/// where it was in training. Throws ConfigError where the model has no classes or its weights do
/// not say where, DataError where it cannot be read or is another one.
std::vector<std::int64_t> training_histogram(const SamplingConfig& sampling,
                                             const TrainedModelDescription& model);

/// Collective. The same, read by rank 0 for all.
std::vector<std::int64_t> training_histogram(Communicator& comm, const SamplingConfig& sampling,
                                             const TrainedModelDescription& model);

}  // namespace effuse
