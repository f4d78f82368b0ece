#include "app/training_histogram.hpp"

#include <algorithm>
#include <sstream>
#include <string>

#include "comm/agreement.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "shards/sharded_dataset.hpp"

namespace effuse {
namespace {

bool wants_histogram(const SamplingConfig& sampling) {
  return sampling.classes == std::vector<std::string>{"histogram"};
}

std::string dataset_of(const SamplingConfig& sampling, const TrainedModelDescription& model) {
  if (!sampling.dataset.empty()) return sampling.dataset;
  if (!model.dataset_folder.empty()) return model.dataset_folder;
  throw ConfigError(cat("sampling.classes asks for the training set's histogram, but ",
                        sampling.weights, " does not say what it was trained on. Set ",
                        "sampling.dataset to the packed data set."));
}

void require_training_set(const ShardedDataset& dataset, const TrainedModelDescription& model) {
  const auto names = dataset.class_names();
  const bool is_it =
      model.dataset_fingerprint.empty() || model.dataset_fingerprint == dataset.fingerprint();
  if (is_it && std::ranges::equal(names, model.class_names)) return;
  throw DataError(cat(dataset.folder().string(), " is not the data set the model was trained on ",
                      "(its histogram would be another). Set sampling.dataset to that one; ",
                      "effuse-inspect prints a data set's fingerprint."));
}

}  // namespace

std::vector<std::int64_t> training_histogram(const SamplingConfig& sampling,
                                             const TrainedModelDescription& model) {
  if (!wants_histogram(sampling)) return {};
  if (model.class_names.empty()) {
    throw ConfigError(
        "sampling.classes asks for a histogram of classes, but the model was trained without any. "
        "Leave it out.");
  }
  const ShardedDataset dataset = ShardedDataset::open(dataset_of(sampling, model));
  require_training_set(dataset, model);
  std::vector<std::int64_t> counts(model.class_names.size(), 0);
  for (std::int64_t i = 0; i < dataset.size(); ++i) {
    ++counts[static_cast<std::size_t>(dataset.label(i))];
  }
  return counts;
}

std::vector<std::int64_t> training_histogram(Communicator& comm, const SamplingConfig& sampling,
                                             const TrainedModelDescription& model) {
  std::string text;
  agree(comm, [&] {
    if (comm.rank() != 0) return;
    for (const std::int64_t count : training_histogram(sampling, model)) text += cat(count, " ");
  });
  std::istringstream numbers(comm.broadcast_text(text, 0));
  std::vector<std::int64_t> counts;
  for (std::int64_t count = 0; numbers >> count;) counts.push_back(count);
  return counts;
}

}  // namespace effuse
