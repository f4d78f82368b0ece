#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "config/config.hpp"
#include "core/lock_file.hpp"

namespace effuse {

/// The folder <run.folder>/<run.name> of a training run, and where things lie in it.
class RunFolder {
 public:
  explicit RunFolder(const RunConfig& run);

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path config() const { return path_ / "config.toml"; }
  std::filesystem::path environment() const { return path_ / "environment.json"; }
  std::filesystem::path outcome() const { return path_ / "outcome.json"; }
  std::filesystem::path report() const { return path_ / "report.html"; }
  std::filesystem::path goodput() const { return path_ / "goodput.json"; }
  std::filesystem::path log(int rank) const;
  std::filesystem::path metrics_log() const { return path_ / "metrics" / "train.jsonl"; }
  std::filesystem::path evaluation_log() const { return path_ / "metrics" / "evaluation.jsonl"; }
  std::filesystem::path draws() const { return path_ / "metrics" / "draws"; }
  std::filesystem::path target(int rank) const;
  std::filesystem::path final_values(int rank) const;
  std::filesystem::path folder_mark() const { return path_ / "metrics" / "identity"; }
  std::filesystem::path events() const { return path_ / "metrics" / "tensorboard"; }
  std::filesystem::path preview(std::int64_t step) const;
  std::filesystem::path bad_steps() const { return path_ / "bad_steps"; }
  /// What slurm/effuse-submit keeps there: scripts, logs. Not ours to write.
  std::filesystem::path submissions() const { return path_ / "slurm"; }
  std::filesystem::path checkpoints() const { return path_ / "checkpoints"; }

  /// Makes the folder and those in it.
  void create() const;

  /// Removes files that a kill left half-written under temporary names. For the job that has the
  /// lock().
  void clear_leftovers() const;

  /// Keeps another job from this run: a file beside the folder, so that it covers the name while
  /// folders are moved. Throws ConfigError where another job has it.
  std::unique_ptr<LockFile> lock() const;

  /// Renames what is there to "<name>.before-<time>" and returns that name; empty where nothing
  /// was. submissions() stays: Slurm writes this very job's log there.
  std::filesystem::path move_aside() const;

 private:
  std::filesystem::path path_;
};

}  // namespace effuse
