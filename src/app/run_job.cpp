#include "app/run_job.hpp"

#include <exception>
#include <optional>

#include "app/outcome.hpp"
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

void record_outcome(const JobContext& context, ExitCode code, const std::string& reason) {
  if (context.outcome_file.empty()) return;
  try {
    write_outcome(context.outcome_file,
                  {outcome_name(code), code, context.step, reason, context.begun});
  } catch (const std::exception& error) {
    log::error("outcome.json could not be written: ", error.what());
  }
}

/// All ranks failed together: they leave together.
int end_in_order(JobContext& context, const Failure& failure) {
  if (context.session.rank() == 0) {
    log::write(log::Level::error, log::Voice::rank_0, failure.message);  // it names other ranks
    record_outcome(context, failure.code, failure.message);
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
    if (context.session.rank() == 0) record_outcome(context, end.code, end.reason);
    context.session.finish();
    return static_cast<int>(end.code);
  } catch (const AgreedError& error) {
    return end_in_order(context, describe(error));
  } catch (const std::exception& error) {
    abort_all(context, describe(error));
  }
}

}  // namespace

int run_job(const Job& job, int argc, const char* const* argv) {
  // Before MPI is up, the launcher says which rank is to speak of what all see alike.
  log::configure({.rank = launched_rank(), .file = {}});
  try {
    const auto line = parse_command_line(job.program, argc, argv);
    if (!line) return static_cast<int>(ExitCode::done);
    if (line->check) {
      job.check(*line);
      return static_cast<int>(ExitCode::done);
    }
    install_stop_handlers();
    keep_freed_memory();
    Session session = Session::open(line->config.parallel.startup_timeout_s);
    log::configure({.rank = session.rank(), .world_size = session.world_size(), .file = {}});
    JobContext context{.line = *line, .session = session};
    return run_on_ranks(job, context);
  } catch (const std::exception& error) {
    const Failure failure = describe(error);
    // The fault may be this host's alone, so every rank says it.
    log::error(launched_rank() == 0 ? "" : cat("[rank ", launched_rank(), "] "), failure.message);
    return static_cast<int>(failure.code);
  }
}

}  // namespace effuse
