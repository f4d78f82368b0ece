#include "report/run_record.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <system_error>

#include "config/toml_values.hpp"
#include "core/error.hpp"
#include "core/files.hpp"
#include "core/shell_word.hpp"
#include "core/text.hpp"
#include "core/utf8.hpp"
#include "report/counted.hpp"
#include "report/file_time.hpp"
#include "report/restarts.hpp"

namespace effuse {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kDescribedBadSteps = 20;
constexpr const char* kLog = "metrics/train.jsonl";
/// One of them is there from the beginning of a run on.
constexpr std::array kOfARun{"config.toml", "environment.json", "outcome.json", kLog};

void require_run(const fs::path& folder) {
  if (!fs::is_directory(folder)) {
    throw DataError(cat(folder.string(), fs::exists(folder) ? " is a file" : " does not exist",
                        ". Give the folder of a run, as runs/NAME."));
  }
  const auto is_there = [&](const char* file) { return fs::exists(folder / file); };
  if (std::ranges::any_of(kOfARun, is_there)) return;
  throw DataError(cat(folder.string(), " is no run's folder: it holds neither config.toml nor ",
                      "metrics/train.jsonl. Give the folder that effuse-train wrote, runs/NAME; ",
                      "where files were lost, copy it again."));
}

void read_config(RunRecord& run, const fs::path& file) {
  if (!fs::exists(file)) return;
  run.config_text = valid_utf8(read_file(file));
  try {
    run.config = toml_values(run.config_text, file.string());
  } catch (const ConfigError& error) {
    throw DataError(cat("the configuration of the run is damaged: ", error.what(),
                        ". Copy the file again, or move it away to have a report without it."));
  }
}

void read_sample_sets(RunRecord& run, const fs::path& folder, const std::vector<fs::path>& given) {
  std::vector<fs::path> sets = find_samples(folder, run.checkpoints);
  for (const fs::path& set : given) {
    if (!made_with(set, folder, run.checkpoints)) continue;
    const auto same = [&set](const fs::path& known) { return fs::equivalent(known, set); };
    if (std::ranges::none_of(sets, same)) sets.push_back(set);
  }
  for (const fs::path& set : sets) {
    try {
      run.samples.push_back(read_samples(set));
    } catch (const DataError& error) {
      run.problems.push_back(error.what());
    }
  }
}

void note_lines_left_out(RunRecord& run) {
  const auto left_out = [](std::int64_t count, const char* noun) {
    return cat(counted(count, noun), " of ", kLog, count == 1 ? " is" : " are", " left out");
  };
  if (run.log.damaged_lines > 0) {
    run.problems.push_back(cat(left_out(run.log.damaged_lines, "damaged line"), "."));
  }
  const std::int64_t late = run.log.late_lines;
  if (late > 0) {
    run.problems.push_back(cat(left_out(late, "line"), ": ",
                               late == 1 ? "its step is" : "their steps are",
                               " not above that of a line before."));
  }
}

fs::path lock_of(const RunRecord& run) {
  const fs::path folder = run.folder;
  return folder.parent_path() / cat(".", folder.filename().string(), ".lock");
}

double last_sign_of(const RunRecord& run, const fs::path& folder) {
  std::error_code unknown;
  const bool is_copy = !fs::exists(lock_of(run), unknown);
  if (is_copy && std::isfinite(run.log.last.time_s)) return run.log.last.time_s;
  double latest_s = 0;
  for (const char* file : {kLog, "outcome.json", "goodput.json", "environment.json"}) {
    latest_s = std::max(latest_s, changed_unix_s(folder / file));
  }
  return latest_s;
}

}  // namespace

RunRecord read_run(const fs::path& folder, const PreviewBudget& previews,
                   const std::vector<fs::path>& samples) {
  require_run(folder);
  RunRecord run;
  const fs::path place = fs::absolute(folder / ".").lexically_normal().parent_path();
  run.name = place.filename().string();
  run.folder = place.string();
  read_config(run, folder / "config.toml");
  run.outcome = read_run_outcome(folder / "outcome.json", run.problems);
  run.environment = read_run_environment(folder / "environment.json", run.problems);
  run.goodput = read_run_goodput(folder / "goodput.json", run.problems);
  run.log = read_training_log(folder / kLog, find_restarts(run.goodput));
  note_lines_left_out(run);
  run.evaluations = read_run_evaluations(folder / "metrics/evaluation.jsonl", run.problems);
  run.bad_steps = read_run_bad_steps(folder / "bad_steps", kDescribedBadSteps, run.problems);
  run.previews = read_run_previews(folder / "previews", previews, run.problems);
  run.checkpoints = read_run_checkpoints(folder / "checkpoints", run.problems);
  read_sample_sets(run, folder, samples);
  run.job = lock_holder(lock_of(run));
  run.last_sign_unix_s = last_sign_of(run, folder);
  if (!run.checkpoints.empty()) {
    run.next_command = cat("effuse-sample --weights ", shell_word(run.folder), " --output samples");
  }
  return run;
}

}  // namespace effuse
