#pragma once

#include <filesystem>
#include <string>

#include "config/config.hpp"
#include "core/error.hpp"

namespace effuse {

/// The folder <run.folder>/<run.name> of a training run, and where things lie in it.
class RunFolder {
 public:
  explicit RunFolder(const RunConfig& run);

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path config() const { return path_ / "config.toml"; }
  std::filesystem::path environment() const { return path_ / "environment.json"; }
  std::filesystem::path outcome() const { return path_ / "outcome.json"; }
  std::filesystem::path log(int rank) const;
  std::filesystem::path metrics_log() const { return path_ / "metrics" / "train.jsonl"; }
  std::filesystem::path target(int rank) const;
  std::filesystem::path previews() const { return path_ / "previews"; }
  std::filesystem::path checkpoints() const { return path_ / "checkpoints"; }

  /// Makes the folder and those in it.
  void create() const;

  /// Renames what is there to "<name>.before-<time>" and returns that name; empty where nothing
  /// was.
  std::filesystem::path move_aside() const;

 private:
  std::filesystem::path path_;
};

/// How a process of the run ended, for scripts that decide whether to submit it again.
struct OutcomeRecord {
  std::string outcome;  ///< "done", "stopped", "failure", "bad configuration" or "bad data"
  ExitCode exit_code = ExitCode::done;
  std::int64_t step = 0;
  std::string reason;
};

/// Writes outcome "running" when a process begins, so that one that is killed leaves no earlier
/// process's outcome behind. Counts the attempt.
void begin_outcome(const std::filesystem::path& file, std::int64_t step);

/// Writes outcome.json atomically: the end of the attempt that begin_outcome() counted, or of one
/// more.
void write_outcome(const std::filesystem::path& file, const OutcomeRecord& record);

/// "done", "stopped", … for an exit code.
std::string outcome_name(ExitCode code);

}  // namespace effuse
