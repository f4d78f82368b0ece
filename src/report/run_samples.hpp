#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "report/picture.hpp"
#include "report/run_checkpoints.hpp"

namespace effuse {

/// A folder of generated images, as its samples.json has it.
struct RunSamples {
  std::string folder;
  std::int64_t number = 0;
  bool complete = false;
  std::int64_t weights_step = 0;
  std::string weights_kind;
  std::vector<std::pair<std::string, std::string>> settings;  ///< sampler, steps, guidance, seed …
  std::map<std::string, double> scores;                       ///< of result.json beside it
  std::optional<EmbeddedPicture> grid;
};

/// Whether, and how, a set of images was made with a run's weights: one of the checkpoints that are
/// there has the very file (SHA-256), or the path of the weights lies in the run's folder.
bool made_with(const std::filesystem::path& samples, const std::filesystem::path& run,
               const std::vector<RunCheckpoint>& checkpoints);

/// The set of images in `folder`. Throws DataError where it holds no samples.json that can be read.
RunSamples read_samples(const std::filesystem::path& folder);

/// Folders with a samples.json in the run's folder and beside it that were made with its weights,
/// by name. No deeper: a search of disks is not a report's to make.
std::vector<std::filesystem::path> find_samples(const std::filesystem::path& run,
                                                const std::vector<RunCheckpoint>& checkpoints);

}  // namespace effuse
