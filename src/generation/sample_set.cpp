#include "generation/sample_set.hpp"

#include <torch/version.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.hpp"
#include "core/files.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "core/version.hpp"
#include "generation/leftovers.hpp"

namespace effuse {
namespace {

using Json = nlohmann::ordered_json;

/// Whether entries of this name may differ in one set: how many images it has (check() looks at
/// that), whether it is complete, by which path the weights were named, and who made it.
bool may_differ(const std::string& name) {
  for (const char* free : {"number", "seeds", "complete", "weights", "made_by"}) {
    if (name == free) return true;
  }
  return false;
}

/// Something in the folder, or up to two folders below, that is not to be mixed with a set: images,
/// data sets, checkpoints. Scores from the sampler may have been there.
std::optional<std::filesystem::path> other_work(const std::filesystem::path& folder) {
  namespace fs = std::filesystem;
  if (!fs::is_directory(folder)) return std::nullopt;
  constexpr std::array<std::string_view, 8> kEndings{".png", ".jpg", ".jpeg", ".webp",
                                                     ".npz", ".h5",  ".pt",   ".safetensors"};
  const auto options = fs::directory_options::skip_permission_denied;
  for (auto entry = fs::recursive_directory_iterator(folder, options); entry != end(entry);
       ++entry) {
    if (entry.depth() >= 2) entry.disable_recursion_pending();
    const std::string ending = entry->path().extension().string();
    const bool is_score = entry->path() == folder / "result.png";
    if (!is_score && std::ranges::find(kEndings, ending) != kEndings.end()) return entry->path();
  }
  return std::nullopt;
}

/// Names of the entries in which two records differ.
std::string differences(const Json& before, const Json& now) {
  std::string names;
  for (const auto& [name, value] : now.items()) {
    if (may_differ(name)) continue;
    if (!before.contains(name) || before[name] != value) names += " " + name;
  }
  return names;
}

/// Empty where the record does not say it in words that a record has.
std::optional<IndexRange> range_of(const Json& record) {
  const Json seeds = record.value("seeds", Json());
  if (!seeds.is_string()) return std::nullopt;
  try {
    return parse_image_range(seeds.get<std::string>());
  } catch (const ConfigError&) {
    return std::nullopt;
  }
}

void warn_of_other_makers(const Json& before, const Json& now) {
  if (before.value("made_by", Json()) == now["made_by"]) return;
  log::warning("the set was begun by another build or on another device (",
               before.value("made_by", Json()).dump(), "; now ", now["made_by"].dump(),
               "): images made from here on may differ from what it would have made in the last "
               "bits");
}

constexpr std::string_view kPartLock = ".part-";
constexpr std::string_view kWait = "Wait for it, or choose another --output.";

std::string lock_name(const Part& part) {
  return cat(kPartLock, part.number, "-of-", part.of, ".lock");
}

}  // namespace

SampleSet::SampleSet(std::filesystem::path folder, Recipe recipe)
    : folder_(std::move(folder)), recipe_(std::move(recipe)) {}

std::string SampleSet::record(bool is_complete) const {
  const SamplingConfig& s = recipe_.sampling;
  const Json json = {{"format_version", 2},
                     {"number", recipe_.set.count()},
                     {"complete", is_complete},
                     {"weights", s.weights},
                     {"weights_kind", s.weights_kind},
                     {"weights_step", recipe_.weights_step},
                     {"weights_sha256", recipe_.weights_sha256},
                     {"seeds", to_text(recipe_.set)},
                     {"seed", s.seed},
                     {"size", cat(recipe_.width, "x", recipe_.height)},
                     {"format", s.format},
                     {"quality", s.quality},
                     {"convention", s.convention},
                     {"sampler", s.sampler},
                     {"steps", s.steps},
                     {"spacing", s.spacing},
                     {"eta", s.eta},
                     {"variance", s.variance},
                     {"clip", s.clip},
                     {"guidance", s.guidance},
                     {"noise_sha256", recipe_.noise_sha256},
                     {"tile", s.tile},
                     {"compute", s.compute},
                     {"classes", recipe_.classes},
                     {"class_counts", recipe_.class_counts},
                     {"class_names", recipe_.class_names},
                     {"made_by",
                      {{"effuse", version()},
                       {"revision", revision()},
                       {"libtorch", TORCH_VERSION},
                       {"device", recipe_.device}}}};
  return json.dump(2) + "\n";
}

void SampleSet::check() const {
  const std::filesystem::path file = folder_ / "samples.json";
  if (!std::filesystem::exists(file)) {
    const auto other = other_work(folder_);
    if (!other) return;
    throw ConfigError(cat(folder_.string(), " holds other work (", other->string(),
                          ") but no samples.json, so this set cannot be added to it. Choose "
                          "another --output."));
  }
  const Json before = Json::parse(read_file(file), nullptr, /*allow_exceptions=*/false);
  const Json now = Json::parse(record(false));
  const std::string changed =
      before.is_object() ? differences(before, now) : " samples.json (unreadable)";
  if (!changed.empty()) {
    throw ConfigError(cat(folder_.string(), " holds images made with other settings:", changed,
                          " (mixing two sets would spoil both). Choose another --output."));
  }
  const auto there = range_of(before);
  if (!there) {
    throw ConfigError(cat(file.string(),
                          " does not say which images are there (\"seeds\" is damaged). Choose "
                          "another --output."));
  }
  if (there->first != recipe_.set.first || there->end > recipe_.set.end) {
    throw ConfigError(cat(folder_.string(), " was begun with other images: ", to_text(*there), " (",
                          there->count(), "). Ask for these, or for more from ", there->first,
                          " on, or choose another --output."));
  }
}

std::unique_ptr<LockFile> SampleSet::lock(const Part& part) const {
  std::filesystem::create_directories(folder_);
  return std::make_unique<LockFile>(
      folder_ / lock_name(part),
      part.of == 1 ? folder_.string()
                   : cat("part ", part.number, "/", part.of, " of ", folder_.string()),
      kWait);
}

void SampleSet::require_unshared(const Part& part) const {
  const std::string alike = cat("-of-", part.of, ".lock");
  std::vector<std::filesystem::path> others;
  for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(kPartLock) && !name.ends_with(alike)) others.push_back(entry.path());
  }
  for (const std::filesystem::path& other : others) {
    LockFile(other, cat(folder_.string(), ", cut into another number of parts,"), kWait);
  }
}

std::unique_ptr<LockFile> SampleSet::lock() const {
  return std::make_unique<LockFile>(folder_ / ".set.lock");
}

void SampleSet::begin() const {
  check();
  const std::filesystem::path file = folder_ / "samples.json";
  if (std::filesystem::exists(file)) {
    warn_of_other_makers(Json::parse(read_file(file)), Json::parse(record(false)));
  }
  remove_leftovers(folder_);
  write_file_atomically(file, record(false));
}

void SampleSet::complete() const { write_file_atomically(folder_ / "samples.json", record(true)); }

}  // namespace effuse
