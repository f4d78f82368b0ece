#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "app/run_folder.hpp"
#include "checkpoint/checkpoint_folder.hpp"
#include "config/command_line.hpp"

namespace effuse {

/// How the command line says to begin.
///
/// A job that is stopped or killed is started again by the same command (a batch script's, as a
/// rule), so repeating --fresh or --resume-from continues the attempt that obeyed it, until that
/// one has come to its end or the experiment is another.
struct StartOptions {
  bool fresh = false;                        ///< --fresh: move the old folder aside
  std::optional<std::int64_t> resume_from;   ///< --resume-from STEP
  std::vector<std::string> allowed_changes;  ///< --allow-change KEY

  /// Throws ConfigError for a step that is no number.
  static StartOptions from(const CommandLine& line);

  /// For outcome.json: "fresh", "resume-from 5000" or "continue".
  std::string name() const;
};

/// Makes the run folder ready at rank 0 and finds the checkpoint to continue from; nothing where
/// the run begins. `config` is resolved. Throws, before anything on disk is changed:
///   ConfigError where what defines the experiment, or the data, is not that of the checkpoint (the
///   key is named) unless allowed; CheckpointError where there are checkpoints but none is valid,
///   or not the one asked for.
std::optional<CheckpointContents> start_run(const RunFolder& folder, const StartOptions& options,
                                            const Config& config,
                                            const std::string& dataset_fingerprint);

/// For --check: the step that start_run() would continue after, 0 where the run would begin. Throws
/// what it would throw, and changes nothing.
std::int64_t check_start(const RunFolder& folder, const StartOptions& options, const Config& config,
                         const std::string& dataset_fingerprint);

/// The checkpoint to go back to when training has diverged at `step`, for the `restores`+1st time.
/// Throws CheckpointError with what to do where recovery.max_restores is reached or there is
/// no checkpoint.
CheckpointContents find_last_good(const RunFolder& folder, const RecoveryConfig& recovery,
                                  std::int64_t restores, std::int64_t step);

}  // namespace effuse
