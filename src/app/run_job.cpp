#include "app/run_job.hpp"

#include <exception>
#include <filesystem>
#include <optional>
#include <utility>

#include "app/outcome.hpp"
#include "app/outcome_flag.hpp"
#include "comm/agreement.hpp"
#include "comm/plain_message.hpp"
#include "core/heap.hpp"
#include "core/log.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"

namespace effuse {
namespace {

/// What went wrong, for a person, and the exit code that says it to a script.
struct Failure {
  std::string message;
  ExitCode code = ExitCode::failure;
};

Failure describe(const std::exception& error) {
  if (const auto* ours = dynamic_cast<const Error*>(&error))
    return {ours->what(), ours->exit_code()};
  return {plain_message(error), ExitCode::failure};
}

void record_outcome(const std::filesystem::path& file, const OutcomeRecord& record) {
  try {
    write_outcome(file, record);
  } catch (const std::exception& error) {
    log::error("how the job ended could not be written: ", error.what());
  }
}

OutcomeRecord record_of(ExitCode code, const std::string& reason) {
  return {.outcome = outcome_name(code), .exit_code = code, .reason = reason};
}

void record_outcome(const JobContext& context, ExitCode code, const std::string& reason) {
  if (context.outcome_file.empty()) return;
  OutcomeRecord record = record_of(code, reason);
  record.step = context.step;
  record.begun = context.begun;
  record_outcome(context.outcome_file, record);
}

void tell_of_the_end(const JobContext& context, ExitCode code, const std::string& reason) {
  record_outcome(context, code, reason);
  if (context.after_outcome) context.after_outcome();
}

/// All ranks failed together: they leave together.
int end_in_order(JobContext& context, const Failure& failure) {
  if (context.session.rank() == 0) {
    log::write(log::Level::error, log::Voice::rank_0, failure.message);  // it names other ranks
    tell_of_the_end(context, failure.code, failure.message);
  }
  context.session.finish();
  return static_cast<int>(failure.code);
}

[[noreturn]] void abort_all(JobContext& context, const Failure& failure) {
  const Session& session = context.session;
  log::error(failure.message);
  if (session.world_size() > 1) {
    log::error("rank ", session.rank(), " on ", session.host(), " ends the job for all ranks");
  }
  record_outcome(context, failure.code, failure.message);
  context.session.abort(failure.code);
}

int run_on_ranks(const Job& job, JobContext& context) {
  try {
    const JobEnd end = job.run(context);
    if (context.session.rank() == 0) tell_of_the_end(context, end.code, end.reason);
    context.session.finish();
    return static_cast<int>(end.code);
  } catch (const AgreedError& error) {
    return end_in_order(context, describe(error));
  } catch (const std::exception& error) {
    abort_all(context, describe(error));
  }
}

/// A world that cannot come together is an outcome, too. `outcome`: empty where none is written.
Session open_session(const CommandLine& line, const std::filesystem::path& outcome) {
  try {
    return Session::open(line.config.parallel.startup_timeout_s);
  } catch (const std::exception& error) {
    const Failure failure = describe(error);
    if (launched_rank() == 0 && !outcome.empty()) {
      OutcomeRecord record = record_of(failure.code, failure.message);
      record.begun = true;
      record_outcome(outcome, record);
    }
    throw;
  }
}

int run_line(const Job& job, const CommandLine& line) {
  const std::filesystem::path outcome = outcome_file(line);
  std::unique_ptr<LockFile> lock;
  // Before MPI, which brings the ranks together, so that none can tell of an end before this.
  if (launched_rank() == 0 && !outcome.empty()) lock = claim_outcome(outcome);
  Session session = open_session(line, outcome);
  log::configure({.rank = session.rank(), .world_size = session.world_size(), .file = {}});
  JobContext context{.line = line,
                     .session = session,
                     .outcome_file = outcome,
                     .begun = !outcome.empty(),
                     .lock = std::move(lock)};
  return run_on_ranks(job, context);
}

/// All that one process can find out.
int check_line(const Job& job, const CommandLine& line) {
  if (const auto outcome = outcome_file(line); !outcome.empty()) require_outcome_file(outcome);
  job.check(line);
  return static_cast<int>(ExitCode::done);
}

}  // namespace

int run_job(const Job& job, int argc, const char* const* argv) {
  // Before MPI is up, the launcher says which rank is to speak of what all see alike.
  log::configure({.rank = launched_rank(), .file = {}});
  try {
    const auto line = parse_command_line(job.program, argc, argv);
    if (!line) return static_cast<int>(ExitCode::done);
    if (line->check) return check_line(job, *line);
    install_stop_handlers();
    keep_freed_memory();
    return run_line(job, *line);
  } catch (const std::exception& error) {
    const Failure failure = describe(error);
    // The fault may be this host's alone, so every rank says it.
    log::error(launched_rank() == 0 ? "" : cat("[rank ", launched_rank(), "] "), failure.message);
    return static_cast<int>(failure.code);
  }
}

}  // namespace effuse
