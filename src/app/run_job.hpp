#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "comm/session.hpp"
#include "config/command_line.hpp"
#include "core/error.hpp"
#include "core/lock_file.hpp"

namespace effuse {

/// What a job is given, and what it tells the boundary while it runs.
struct JobContext {
  const CommandLine& line;
  Session& session;
  /// Of --outcome, or outcome.json of a run, set by the job once it knows where; empty: how the job
  /// ended is not written.
  std::filesystem::path outcome_file{};
  /// Steps done so far, for outcome_file.
  std::int64_t step = 0;
  /// outcome_file tells of this attempt.
  bool begun = false;
  /// Of the run or outcome_file, at the rank that writes how the job ended; kept until then.
  std::unique_ptr<LockFile> lock{};
  /// Called at rank 0 once outcome_file tells of the end, unless this rank failed alone.
  std::function<void()> after_outcome{};
};

/// How a job that did not fail ended: done, or stopped and to be run again.
struct JobEnd {
  ExitCode code = ExitCode::done;
  std::string reason;  ///< for outcome.json; empty where nothing needs saying
};

/// A program that runs on ranks.
struct Job {
  Program program;
  /// --check: validates all that can be validated by one process without doing the work, and says
  /// what would be done. Throws Error.
  std::function<void(const CommandLine&)> check;
  /// Collective over the session.
  std::function<JobEnd(JobContext&)> run;
};

/// The one place where a job ends: parses the command line, opens the session, runs, reports, and
/// returns the exit code of main.
///   - success, a stop, and a failure that all ranks agreed on (AgreedError): the ranks finish
///     together and MPI is finalized;
///   - a failure of this rank alone: logged with rank, host and cause, then the whole job is
///   aborted
///     with the failure's exit code, since the other ranks may be waiting in a collective.
/// With --outcome all of this is written there, from before MPI starts.
int run_job(const Job& job, int argc, const char* const* argv);

}  // namespace effuse
