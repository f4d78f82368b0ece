#include "app/resolve.hpp"

#include <string>
#include <vector>

#include "comm/agreement.hpp"
#include "config/fields.hpp"
#include "config/toml_reader.hpp"
#include "config/toml_writer.hpp"
#include "core/error.hpp"
#include "core/text.hpp"

namespace effuse {
namespace {

void require(std::int64_t wanted, std::int64_t found, const char* key, const char* what) {
  if (wanted == found) return;
  throw DataError(cat("the data set has ", what, " ", found, ", but ", key, " is ", wanted,
                      ". Pack the images for this model, or leave the key out to take it from the "
                      "data set."));
}

}  // namespace

ModelConfig resolve_model(const ModelConfig& model, const ShardedDataset& dataset) {
  ModelConfig resolved = model;
  if (dataset.height() != dataset.width()) {
    throw DataError(cat("the images are ", dataset.height(), "x", dataset.width(),
                        " (models take square ones). Pack them again with --image-size."));
  }
  if (model.sample_size == 0) resolved.sample_size = dataset.height();
  if (model.in_channels == 0) resolved.in_channels = dataset.channels();
  const auto classes = static_cast<std::int64_t>(dataset.class_names().size());
  const std::int64_t null_classes = model.null_class ? 1 : 0;
  if (model.num_class_embeds == -1) {
    resolved.num_class_embeds = classes > 1 ? classes + null_classes : 0;
  }
  require(resolved.sample_size, dataset.height(), "model.sample_size", "image size");
  require(resolved.in_channels, dataset.channels(), "model.in_channels", "image channels");
  if (resolved.num_class_embeds != 0) {
    require(resolved.num_class_embeds - null_classes, classes,
            model.null_class ? "model.num_class_embeds - 1" : "model.num_class_embeds", "classes");
  }
  return resolved;
}

void require_same_config(Communicator& comm, const Config& config) {
  const std::vector<std::string> texts = comm.all_gather_text(to_toml(config));
  std::string problems;
  for (std::size_t rank = 1; rank < texts.size(); ++rank) {
    if (texts[rank] == texts[0]) continue;
    Config first, other;
    read_toml_text(first, texts[0], "rank 0");
    read_toml_text(other, texts[rank], cat("rank ", rank));
    problems += cat("\n  rank ", rank, ":");
    for (const std::string& name : all_differences(first, other)) problems += " " + name;
  }
  agree(comm, [&] {
    if (problems.empty()) return;
    throw ConfigError(
        cat("the ranks were started with different configurations (they must train "
            "the same model). Give every rank the same command. Different from rank "
            "0:",
            problems));
  });
}

void require_same_dataset(Communicator& comm, const ShardedDataset& dataset) {
  const std::vector<std::string> fingerprints = comm.all_gather_text(dataset.fingerprint());
  std::string ranks;
  for (std::size_t rank = 1; rank < fingerprints.size(); ++rank) {
    if (fingerprints[rank] != fingerprints[0]) ranks += cat(" ", rank);
  }
  agree(comm, [&] {
    if (ranks.empty()) return;
    throw DataError(cat("the data set of rank 0 is not that of ranks", ranks,
                        " (they would train on different images). Give all nodes the same copy; "
                        "effuse-inspect prints a data set's fingerprint."));
  });
}

}  // namespace effuse
