#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/lock_holder.hpp"
#include "report/run_checkpoints.hpp"
#include "report/run_documents.hpp"
#include "report/run_previews.hpp"
#include "report/run_samples.hpp"
#include "report/training_log.hpp"

namespace effuse {

/// All that a report tells of a run, read from its folder at one moment.
struct RunRecord {
  std::string name;
  std::string folder;
  std::string config_text;                                  ///< config.toml
  std::vector<std::pair<std::string, std::string>> config;  ///< "run.steps" and its value in TOML
  std::optional<RunOutcome> outcome;
  std::optional<RunEnvironment> environment;
  std::optional<RunGoodput> goodput;
  TrainingLog log;
  std::vector<RunEvaluation> evaluations;
  RunBadSteps bad_steps;
  RunPreviews previews;
  std::vector<RunCheckpoint> checkpoints;
  std::vector<RunSamples> samples;
  LockHolder job = LockHolder::unknown;  ///< whether a job holds the lock on the run
  std::string next_command;              ///< that makes images of it; empty without a checkpoint
  /// When a job last wrote something: one of its files, or, where there is no lock file, as beside
  /// a copy, the last line of the log.
  double last_sign_unix_s = 0;
  Problems problems;  ///< sentences: what could not be read
};

/// Reads the folder of a run, also of one that goes on at that moment: whatever is missing yet is
/// absent. `samples`: folders of images, beside those that find_samples() finds. Throws DataError
/// where it is no run's folder, config.toml is no TOML, or the log cannot be used.
RunRecord read_run(const std::filesystem::path& folder, const PreviewBudget& previews,
                   const std::vector<std::filesystem::path>& samples = {});

}  // namespace effuse
