#include "report/run_samples.hpp"

#include <algorithm>
#include <array>
#include <exception>
#include <system_error>

#include "core/error.hpp"
#include "core/text.hpp"
#include "report/json_file.hpp"
#include "report/score_names.hpp"

namespace effuse {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kGridBytes = 512 << 10;
constexpr std::array kSettings{"sampler", "steps", "spacing", "eta",    "guidance",
                               "seeds",   "seed",  "size",    "format", "compute"};

fs::path record_of(const fs::path& folder) { return folder / "samples.json"; }

std::string plain(const Json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

bool lies_in(const fs::path& folder, const fs::path& file) {
  std::error_code unknown;
  const fs::path place = fs::weakly_canonical(file, unknown);
  const fs::path root = fs::weakly_canonical(folder, unknown);
  if (unknown || file.empty()) return false;
  return std::mismatch(root.begin(), root.end(), place.begin(), place.end()).first == root.end();
}

bool is_file_of(const std::vector<RunCheckpoint>& checkpoints, const std::string& sha256) {
  if (sha256.empty()) return false;
  return std::ranges::any_of(checkpoints, [&](const RunCheckpoint& checkpoint) {
    return std::ranges::any_of(checkpoint.sha256,
                               [&](const auto& file) { return file.second == sha256; });
  });
}

/// Of result.json, as effuse-sample --evaluate writes it beside the images.
std::map<std::string, double> scores_of(const fs::path& folder) {
  std::map<std::string, double> scores;
  Problems unread;
  const auto result = read_json_object(folder / "result.json", unread);
  for (const char* name : kScores) {
    if (!result || !result->contains(name)) continue;
    const Json& score = result->at(name);
    if (score.is_object() && score.contains("value")) scores[name] = number_in(score, "value");
  }
  return scores;
}

}  // namespace

bool made_with(const fs::path& samples, const fs::path& run,
               const std::vector<RunCheckpoint>& checkpoints) {
  Problems unread;
  const auto json = read_json_object(record_of(samples), unread);
  if (!json) return false;
  return is_file_of(checkpoints, text_in(*json, "weights_sha256")) ||
         lies_in(run, text_in(*json, "weights"));
}

RunSamples read_samples(const fs::path& folder) {
  Problems problems;
  const auto json = read_json_object(record_of(folder), problems);
  if (!json) {
    throw DataError(cat(folder.string(), " holds no generated images",
                        problems.empty() ? " (there is no samples.json)" : ": " + problems.front(),
                        ". Give a folder that effuse-sample wrote."));
  }
  RunSamples samples;
  samples.folder = folder.lexically_normal().string();
  samples.number = integer_in(*json, "number");
  samples.complete = json->value("complete", Json(false)) == Json(true);
  samples.weights_step = integer_in(*json, "weights_step");
  samples.weights_kind = text_in(*json, "weights_kind");
  for (const char* key : kSettings) {
    const auto found = json->find(key);
    if (found != json->end()) samples.settings.emplace_back(key, plain(*found));
  }
  samples.scores = scores_of(folder);
  try {
    if (fs::exists(folder / "grid.png")) {
      samples.grid = embed_picture(folder / "grid.png", kGridBytes);
    }
  } catch (const std::exception&) {
    samples.grid.reset();  // the numbers are told without it
  }
  return samples;
}

std::vector<fs::path> find_samples(const fs::path& run,
                                   const std::vector<RunCheckpoint>& checkpoints) {
  std::vector<fs::path> found;
  const fs::path here = fs::absolute(run / ".").lexically_normal();  // ends in a separator
  for (const fs::path& place : {here.parent_path(), here.parent_path().parent_path()}) {
    std::error_code unreadable;
    for (const auto& entry : fs::directory_iterator(place, unreadable)) {
      std::error_code gone;
      if (!fs::exists(record_of(entry.path()), gone)) continue;
      if (made_with(entry.path(), run, checkpoints)) found.push_back(entry.path());
    }
  }
  std::ranges::sort(found);
  return found;
}

}  // namespace effuse
