#include "report/run_documents.hpp"

#include <algorithm>
#include <sstream>

#include "core/files.hpp"
#include "core/text.hpp"
#include "report/counted.hpp"
#include "report/json_file.hpp"
#include "report/score_names.hpp"
#include "report/step_in_name.hpp"

namespace effuse {
namespace {

/// An array's elements; none where there is no such array.
Json elements(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_array() ? *found : Json::array();
}

RunEvaluation evaluation_of(const Json& json) {
  RunEvaluation evaluation{.step = integer_in(json, "step"),
                           .scores = {},
                           .images = integer_in(json, "images"),
                           .seconds = number_in(json, "seconds")};
  for (const char* name : kScores) {
    const auto found = json.find(name);
    if (found != json.end() && found->is_number()) evaluation.scores[name] = found->get<double>();
  }
  return evaluation;
}

/// "0.25", "nan": numbers that JSON has not are texts there.
std::string number_text(const Json& json, const char* key) {
  const std::string text = text_in(json, key);
  return text.empty() ? shortest(number_in(json, key)) : text;
}

}  // namespace

std::optional<RunOutcome> read_run_outcome(const std::filesystem::path& file, Problems& problems) {
  const auto json = read_json_object(file, problems);
  if (!json) return std::nullopt;
  RunOutcome outcome{.outcome = text_in(*json, "outcome"),
                     .exit_code = std::nullopt,
                     .step = integer_in(*json, "step"),
                     .total_steps = integer_in(*json, "total_steps"),
                     .reason = text_in(*json, "reason"),
                     .slurm_job = text_in(*json, "slurm_job"),
                     .attempt = integer_in(*json, "attempt")};
  const auto code = json->find("exit_code");
  if (code != json->end() && code->is_number_integer()) outcome.exit_code = code->get<int>();
  return outcome;
}

std::optional<RunEnvironment> read_run_environment(const std::filesystem::path& file,
                                                   Problems& problems) {
  const auto json = read_json_object(file, problems);
  if (!json) return std::nullopt;
  RunEnvironment environment{.effuse = text_in(*json, "effuse"),
                             .revision = text_in(*json, "revision"),
                             .libtorch = text_in(*json, "libtorch"),
                             .compiler = text_in(*json, "compiler"),
                             .backend = text_in(*json, "backend"),
                             .began = text_in(*json, "began"),
                             .world_size = integer_in(*json, "world_size"),
                             .threads_per_rank = integer_in(*json, "threads_per_rank"),
                             .ranks = {}};
  for (const Json& rank : elements(*json, "ranks")) {
    environment.ranks.push_back(
        {text_in(rank, "host"), text_in(rank, "device"), text_in(rank, "name")});
  }
  return environment;
}

std::optional<RunGoodput> read_run_goodput(const std::filesystem::path& file, Problems& problems) {
  const auto json = read_json_object(file, problems);
  if (!json) return std::nullopt;
  RunGoodput goodput{.goodput = number_in(*json, "goodput"),
                     .total_s = number_in(*json, "total_s"),
                     .productive_s = number_in(*json, "productive_s"),
                     .lost_s = {},
                     .attempts = integer_in(*json, "attempts"),
                     .redone_steps = integer_in(*json, "redone_steps"),
                     .bad_steps = integer_in(*json, "bad_steps"),
                     .began_unix_s = number_in(*json, "began_unix_s"),
                     .kept = {}};
  const auto lost = json->find("lost_s");
  if (lost != json->end() && lost->is_object()) {
    for (const auto& [reason, seconds] : lost->items()) {
      if (seconds.is_number()) goodput.lost_s.emplace_back(reason, seconds.get<double>());
    }
  }
  for (const Json& kept : elements(*json, "kept")) {
    goodput.kept.push_back({integer_in(kept, "after"), integer_in(kept, "up_to"),
                            number_in(kept, "productive_s"), integer_in(kept, "attempt")});
  }
  return goodput;
}

std::vector<RunEvaluation> read_run_evaluations(const std::filesystem::path& file,
                                                Problems& problems) {
  std::vector<RunEvaluation> evaluations;
  if (!std::filesystem::exists(file)) return evaluations;
  std::istringstream lines(read_file(file));
  std::int64_t damaged = 0;
  for (std::string line; std::getline(lines, line);) {
    const Json json = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (json.is_object() && json.contains("step")) {
      evaluations.push_back(evaluation_of(json));
    } else if (!lines.eof()) {  // a last line without line feed is being written
      ++damaged;
    }
  }
  if (damaged > 0) {
    problems.push_back(cat(counted(damaged, "damaged line"), " of metrics/evaluation.jsonl ",
                           damaged == 1 ? "is" : "are", " left out."));
  }
  return evaluations;
}

RunBadSteps read_run_bad_steps(const std::filesystem::path& folder, std::size_t limit,
                               Problems& problems) {
  RunBadSteps bad;
  if (!std::filesystem::is_directory(folder)) return bad;
  std::vector<std::pair<std::int64_t, std::filesystem::path>> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const auto step = step_in_name(entry.path().filename().string(), ".json");
    if (step) files.emplace_back(*step, entry.path());
  }
  std::ranges::sort(files);
  bad.count = static_cast<std::int64_t>(files.size());
  files.resize(std::min(files.size(), limit));
  for (const auto& [step, file] : files) {
    const auto json = read_json_object(file, problems, cat("bad_steps/", file.filename().string()));
    if (!json) continue;
    bad.first.push_back({step, number_text(*json, "loss"), number_text(*json, "grad_norm")});
  }
  return bad;
}

}  // namespace effuse
