#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// What the small files of a run folder say (docs/formats.md), as plain structs. A file that is not
/// there is nothing; one that cannot be read is nothing too, and a sentence for `problems`.
namespace effuse {

using Problems = std::vector<std::string>;

/// outcome.json
struct RunOutcome {
  std::string outcome;
  std::optional<std::int64_t> exit_code;
  std::int64_t step = 0;
  std::int64_t total_steps = 0;
  std::string reason;
  std::string slurm_job;
  std::int64_t attempt = 0;
};

/// environment.json
struct RunEnvironment {
  struct Rank {
    std::string host, device, name;
  };
  std::string effuse, revision, libtorch, compiler, backend, began;
  std::int64_t world_size = 0;
  std::int64_t threads_per_rank = 0;
  std::vector<Rank> ranks;
};

/// goodput.json
struct RunGoodput {
  struct Kept {
    std::int64_t after = 0;
    std::int64_t up_to = 0;
    double productive_s = 0;
    std::int64_t attempt = 0;  ///< from 1; 0: not known
  };
  double goodput = 0;
  double total_s = 0;
  double productive_s = 0;
  std::vector<std::pair<std::string, double>> lost_s;  ///< by reason
  std::int64_t attempts = 0;
  std::int64_t redone_steps = 0;
  std::int64_t bad_steps = 0;
  double began_unix_s = 0;
  std::vector<Kept> kept;
};

/// A line of metrics/evaluation.jsonl
struct RunEvaluation {
  std::int64_t step = 0;
  std::map<std::string, double> scores;  ///< fid, kid, …
  std::int64_t images = 0;
  double seconds = 0;
};

/// A file of bad_steps/
struct RunBadStep {
  std::int64_t step = 0;
  std::string loss;  ///< a number, or nan, inf, -inf
  std::string grad_norm;
};

std::optional<RunOutcome> read_run_outcome(const std::filesystem::path& file, Problems& problems);
std::optional<RunEnvironment> read_run_environment(const std::filesystem::path& file,
                                                   Problems& problems);
std::optional<RunGoodput> read_run_goodput(const std::filesystem::path& file, Problems& problems);
std::vector<RunEvaluation> read_run_evaluations(const std::filesystem::path& file,
                                                Problems& problems);

/// How many steps have a file in bad_steps/, and what the first `limit` of them say.
struct RunBadSteps {
  std::int64_t count = 0;
  std::vector<RunBadStep> first;
};
RunBadSteps read_run_bad_steps(const std::filesystem::path& folder, std::size_t limit,
                               Problems& problems);

}  // namespace effuse
