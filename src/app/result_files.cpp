#include "app/result_files.hpp"

#include <algorithm>
#include <string>
#include <system_error>
#include <vector>

#include "core/error.hpp"
#include "core/files.hpp"
#include "core/text.hpp"
#include "evaluation/sampled_source.hpp"
#include "shards/manifest.hpp"

namespace effuse {
namespace {

namespace fs = std::filesystem;

bool lies_in(const fs::path& folder, const fs::path& place) {
  return std::mismatch(folder.begin(), folder.end(), place.begin(), place.end()).first ==
         folder.end();
}

/// Whether a picture in `place` would be read as one of the images of `source`.
bool takes_images_from(const fs::path& source, const fs::path& place) {
  if (!fs::is_directory(source)) return false;
  const fs::path folder = fs::canonical(source);
  if (is_sampled_set(folder)) return lies_in(folder / "images", place);
  return !fs::exists(manifest_path(folder)) && lies_in(folder, place);
}

fs::path place_of(const fs::path& file) { return fs::weakly_canonical(fs::absolute(file)); }

void require_apart(const fs::path& output, const std::vector<std::string>& sources) {
  const fs::path place = place_of(output).parent_path();
  for (const std::string& source : sources) {
    if (!takes_images_from(source, place)) continue;
    throw ConfigError(cat("evaluation.output: ", output.string(), " is inside of ", source,
                          ", whose images are scored (the picture beside the result would be one "
                          "of them the next time). Choose another folder."));
  }
}

std::vector<std::string> inputs_of(const EvaluationConfig& config) {
  std::vector<std::string> inputs = config.images;
  inputs.insert(inputs.end(), config.reference.begin(), config.reference.end());
  inputs.insert(inputs.end(), {config.weights, config.network});
  return inputs;
}

void require_no_input(const fs::path& file, const char* key, const EvaluationConfig& config) {
  for (const std::string& input : inputs_of(config)) {
    std::error_code absent;
    if (!fs::equivalent(file, input, absent)) continue;
    throw ConfigError(cat(key, ": ", input, " is read by this evaluation, and ", file.string(),
                          " would replace it. Choose another name."));
  }
}

/// How the job ended is written last.
void require_no_result(const fs::path& outcome, const EvaluationConfig& config) {
  if (outcome.empty()) return;
  for (const fs::path& result :
       {fs::path(config.output), picture_beside(config.output), fs::path(config.save_statistics)}) {
    if (result.empty() || place_of(outcome) != place_of(result)) continue;
    throw ConfigError(cat("--outcome: ", outcome.string(),
                          " is a result's name, too, and would replace it. Choose another name."));
  }
}

}  // namespace

fs::path picture_beside(fs::path result) { return result.replace_extension(".png"); }

void require_writable(const fs::path& file, const char* key) {
  const fs::path place = fs::absolute(file);
  if (place.filename().empty() || fs::is_directory(place)) {
    throw ConfigError(cat(key, ": ", file.string(), " is a folder. Give the name of a file."));
  }
  try {
    fs::path folder = place.parent_path();
    while (!fs::exists(folder)) folder = folder.parent_path();
    const AtomicFile trial(folder / place.filename());
  } catch (const std::system_error& error) {
    throw ConfigError(cat(key, ": ", file.string(), " cannot be written: ", error.what(),
                          ". Choose another place."));
  }
}

void require_result_files(const EvaluationConfig& config, const fs::path& outcome) {
  require_no_result(outcome, config);
  if (!config.save_statistics.empty()) {
    require_no_input(config.save_statistics, "evaluation.save_statistics", config);
    require_writable(config.save_statistics, "evaluation.save_statistics");
  }
  if (config.output.empty()) return;
  const fs::path output = config.output;
  if (output.extension() == ".png") {
    throw ConfigError(cat("evaluation.output: ", config.output,
                          " is the name of the picture, which is written beside the result. Give "
                          "that of the result, as ",
                          fs::path(output).replace_extension(".json").string(), "."));
  }
  if (!config.save_statistics.empty() && place_of(output) == place_of(config.save_statistics)) {
    throw ConfigError(cat("evaluation.output and evaluation.save_statistics are both ",
                          config.output, ". Give two files."));
  }
  require_no_input(output, "evaluation.output", config);
  require_no_input(picture_beside(output), "evaluation.output", config);
  require_apart(output, config.images);
  require_apart(output, config.reference);
  require_writable(output, "evaluation.output");
}

}  // namespace effuse
