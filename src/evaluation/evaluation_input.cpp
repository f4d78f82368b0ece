#include "evaluation/evaluation_input.hpp"

#include <span>
#include <utility>

#include "comm/agreement.hpp"
#include "core/checksum.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "npz/npz_reader.hpp"
#include "shards/manifest.hpp"

namespace effuse {
namespace {

bool holds_images(const std::filesystem::path& path) {
  return path.extension() != ".npz" || std::filesystem::is_directory(path) ||
         NpzReader(path).has("arr_0");
}

/// What tells a set of images from another without reading them.
std::string identity_of(const ImageSource& images) {
  if (std::string fingerprint = images.fingerprint(); !fingerprint.empty()) return fingerprint;
  std::string names;
  for (std::int64_t i = 0; i < images.count(); ++i) names += images.name(i) + "\n";
  return cat("of CRC-32C ", crc32c(std::as_bytes(std::span(names))));
}

}  // namespace

std::optional<std::int64_t> EvaluationInput::count() const {
  return images ? std::optional(images->count()) : std::nullopt;
}

std::filesystem::path EvaluationInput::dataset() const {
  const bool is_one = paths.size() == 1 && std::filesystem::exists(manifest_path(paths.front()));
  return is_one ? paths.front() : std::filesystem::path();
}

std::string EvaluationInput::text() const {
  return cat(paths.front().string(),
             paths.size() > 1 ? cat(" and ", paths.size() - 1, " more") : "");
}

EvaluationInput open_input(const std::vector<std::string>& paths, const char* key) {
  EvaluationInput input;
  std::vector<std::unique_ptr<ImageSource>> sources;
  for (const std::string& path : paths) {
    input.paths.emplace_back(path);
    const bool is_statistics = holds_statistics(path);
    if (is_statistics) input.statistics.push_back(read_statistics(path));
    if (!is_statistics || holds_images(path)) sources.push_back(open_image_source(path));
  }
  const bool are_mixed = (!input.statistics.empty() && input.statistics.size() != paths.size()) ||
                         (!sources.empty() && sources.size() != paths.size());
  if (are_mixed) {
    throw ConfigError(cat("evaluation.", key,
                          " mixes images and statistics. Give images alone, or make statistics of "
                          "them with --save-statistics first."));
  }
  if (!sources.empty()) input.images = join_image_sources(std::move(sources));
  return input;
}

void require_images_for_features(const EvaluationInput& input) {
  if (input.images) return;
  throw DataError(
      cat(input.text(),
          " holds statistics alone, but the features of each image are needed for "
          "every metric except fid. Give the images, or ask for fid alone (evaluation.metrics)."));
}

void require_same_images(const EvaluationInput& input, Communicator& comm) {
  const ImageSource* const images = input.images.get();
  const auto seen = comm.all_gather_text(
      images == nullptr ? "" : cat(images->count(), " images ", identity_of(*images)));
  agree(comm, [&] {
    for (std::size_t rank = 1; rank < seen.size(); ++rank) {
      if (seen[rank] == seen.front()) continue;
      throw DataError(cat(input.text(), " holds ", seen.front(), " for rank 0, but ", seen[rank],
                          " for rank ", rank,
                          ". It is being written, or not all nodes see its present state. Try "
                          "again once they do."));
    }
  });
}

Statistics merge_statistics(const EvaluationInput& input) {
  Statistics merged = input.statistics.front();
  if (input.statistics.size() == 1) return merged;
  for (std::size_t i = 0; i < input.statistics.size(); ++i) {
    const Statistics& part = input.statistics[i];
    if (!part.moments) {
      throw DataError(cat(input.paths[i].string(),
                          " has no count, sum and outer_sum, so it cannot be added to others "
                          "(a covariance alone does not say of how many images)"));
    }
    if (i == 0) continue;
    if (part.origin && merged.origin) {
      require_same_features(part, input.paths[i], *merged.origin, merged.gaussian.dimensions());
    }
    merged.moments->add(*part.moments);
  }
  merged.gaussian = merged.moments->gaussian();
  merged.images.clear();
  return merged;
}

}  // namespace effuse
