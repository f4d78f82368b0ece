#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "core/error.hpp"

namespace effuse {

/// How an attempt at a run ended, for scripts that decide whether to submit it again.
struct OutcomeRecord {
  std::string outcome;  ///< "done", "stopped", "failure", "bad configuration" or "bad data"
  ExitCode exit_code = ExitCode::done;
  std::int64_t step = 0;
  std::string reason;
  bool begun = false;  ///< begin_outcome() has been called for this attempt
};

/// Writes outcome "running" when an attempt begins, so that one that is killed leaves no earlier
/// attempt's outcome behind. Counts the attempt. `start` says how it was told to begin
/// (StartOptions::name()), `total_steps` after which step the run is done (0: it has no steps).
/// Returns how many attempts in a row, this one included, began after this same step: those before
/// reached no checkpoint.
std::int64_t begin_outcome(const std::filesystem::path& file, std::int64_t step,
                           const std::string& start, std::int64_t total_steps = 0);

/// Writes outcome.json atomically: the end of the attempt that begin_outcome() counted, or of one
/// more, which was refused before it began. Several ranks may write how one attempt ended.
void write_outcome(const std::filesystem::path& file, const OutcomeRecord& record);

/// The step of the last attempt, 0 where there was none.
std::int64_t last_step(const std::filesystem::path& file);

/// How the last attempt was told to begin, where it did not come to its end; empty where it did, or
/// there was none.
std::string unfinished_start(const std::filesystem::path& file);

/// Whether an outcome may be written there: nothing but an outcome, or an empty file, would be
/// lost.
bool may_become_outcome(const std::filesystem::path& file);

/// "done", "stopped", … for an exit code.
std::string outcome_name(ExitCode code);

}  // namespace effuse
