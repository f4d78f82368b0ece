#include "generation/sample_set.hpp"

#include <nlohmann/json.hpp>
#include <utility>

#include "core/error.hpp"
#include "core/files.hpp"
#include "core/text.hpp"

namespace effuse {
namespace {

using Json = nlohmann::ordered_json;

/// Names of the entries in which two records differ; how many images, whether it is complete and by
/// which path the weights were named do not make another set.
std::string differences(const Json& before, const Json& now) {
  std::string names;
  for (const auto& [name, value] : now.items()) {
    if (name == "number" || name == "complete" || name == "weights") continue;
    if (!before.contains(name) || before[name] != value) names += " " + name;
  }
  return names;
}

}  // namespace

SampleSet::SampleSet(std::filesystem::path folder, Recipe recipe)
    : folder_(std::move(folder)), recipe_(std::move(recipe)) {}

std::string SampleSet::record(bool is_complete) const {
  const SamplingConfig& s = recipe_.sampling;
  const Json json = {{"format_version", 1},
                     {"number", s.number},
                     {"complete", is_complete},
                     {"weights", s.weights},
                     {"weights_kind", s.weights_kind},
                     {"weights_step", recipe_.weights_step},
                     {"weights_sha256", recipe_.weights_sha256},
                     {"format", s.format},
                     {"convention", s.convention},
                     {"sampler", s.sampler},
                     {"steps", s.steps},
                     {"spacing", s.spacing},
                     {"eta", s.eta},
                     {"variance", s.variance},
                     {"clip", s.clip},
                     {"guidance", s.guidance},
                     {"seed", s.seed},
                     {"noise_sha256", recipe_.noise_sha256},
                     {"tile", s.tile},
                     {"compute", s.compute},
                     {"classes", recipe_.classes},
                     {"class_names", recipe_.class_names}};
  return json.dump(2) + "\n";
}

void SampleSet::check() const {
  const std::filesystem::path file = folder_ / "samples.json";
  if (std::filesystem::exists(file)) {
    const Json before = Json::parse(read_file(file), nullptr, /*allow_exceptions=*/false);
    const std::string changed = before.is_object() ? differences(before, Json::parse(record(false)))
                                                   : " samples.json (unreadable)";
    if (!changed.empty()) {
      throw ConfigError(cat(folder_.string(), " holds images made with other settings:", changed,
                            " (mixing two sets would spoil both). Choose another --output."));
    }
    if (before.value("number", std::int64_t{0}) > recipe_.sampling.number) {
      throw ConfigError(cat(folder_.string(), " was begun with more images: ", before["number"],
                            ". Ask for at least as many, or choose another --output."));
    }
  } else if (std::filesystem::exists(folder_ / "images") ||
             std::filesystem::exists(folder_ / "images.safetensors")) {
    throw ConfigError(cat(folder_.string(),
                          " holds images but no samples.json. Choose another "
                          "--output."));
  }
}

void SampleSet::begin() const {
  check();
  std::filesystem::create_directories(folder_);
  write_file_atomically(folder_ / "samples.json", record(false));
}

void SampleSet::complete() const { write_file_atomically(folder_ / "samples.json", record(true)); }

}  // namespace effuse
