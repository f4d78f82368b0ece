#pragma once

#include <memory>
#include <string>

#include "core/error.hpp"

namespace effuse {

class RollCall;

/// This process's place in the job. MPI is initialised here and nowhere else, with
/// MPI_ERRORS_RETURN on the world and on the process itself, so that failures become CommError
/// rather than the end of the process.
///
/// One a process, made and ended by the main thread.
class Session {
 public:
  /// Under a launcher (mpirun, srun with PMI) a rank of its job: collective, and where the other
  /// ranks do not arrive within `deadline_s` the process ends with a message (MPI's start-up cannot
  /// be given up). Without a launcher a world of one, and MPI is not touched.
  ///
  /// Throws ConfigError where Slurm started several tasks that would each be a world of their own,
  /// CommError where MPI cannot start or does not allow calls from several threads.
  static Session open(double deadline_s = 600.0);

  /// Leaves MPI as it is where finish() was not called: finalizing while other ranks wait in a
  /// collective would hang the job instead of ending it.
  ~Session();
  Session(Session&& other) noexcept;
  Session& operator=(Session&&) = delete;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  int rank() const { return rank_; }
  int world_size() const { return world_size_; }

  /// Place among the ranks of this host, and their number.
  int local_rank() const { return local_rank_; }
  int local_size() const { return local_size_; }

  const std::string& host() const { return host_; }
  bool uses_mpi() const { return uses_mpi_; }

  /// By which a rank asks the others where they are; null for a job of one rank.
  RollCall* roll_call() const { return roll_call_.get(); }

  /// Collective. Waits for all ranks and finalizes MPI: the way out of a job that did what it was
  /// asked, or stopped in order, at every rank. No Communicator may be left. Throws CommError
  /// where a rank does not arrive within `deadline_s`; where MPI then does not end within it, the
  /// process does.
  void finish(double deadline_s = 600.0);

  /// Ends the job, all ranks, with `code`: the way out of a failure.
  [[noreturn]] void abort(ExitCode code) noexcept;

 private:
  Session() = default;
  void join_mpi(double deadline_s);
  void start_mpi();
  void meet_others(double deadline_s);
  void wait_for_all(double deadline_s);

  int rank_ = 0;
  int world_size_ = 1;
  int local_rank_ = 0;
  int local_size_ = 1;
  std::string host_;
  bool uses_mpi_ = false;
  std::unique_ptr<RollCall> roll_call_;
};

/// This process's rank as its launcher's environment tells it, without starting MPI: what may be
/// said once by a job of many ranks before it has begun (--help, errors of configuration). 0
/// without a launcher.
int launched_rank();

}  // namespace effuse
