#include "comm/session.hpp"

#include <mpi.h>

#include <atomic>
#include <cstdlib>
#include <utility>

#include "comm/mpi_check.hpp"
#include "comm/patience.hpp"
#include "comm/watchdog.hpp"
#include "core/host_name.hpp"
#include "core/text.hpp"

namespace effuse {
namespace {

std::atomic<bool> opened{false};

int environment_number(const char* name, int otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr || *value == '\0' ? otherwise : std::atoi(value);
}

/// mpirun of Open MPI, anything with PMIx (srun --mpi=pmix), anything with PMI (MPICH, Intel MPI).
bool under_launcher() {
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK"}) {
    if (std::getenv(name) != nullptr) return true;
  }
  return false;
}

/// Tasks that Slurm started of this program, 1 outside Slurm.
int slurm_tasks() {
  if (std::getenv("SLURM_PROCID") == nullptr) return 1;
  return environment_number("SLURM_NTASKS", environment_number("SLURM_STEP_NUM_TASKS", 1));
}

void refuse_singletons(int world_size) {
  const int tasks = slurm_tasks();
  if (world_size > 1 || tasks <= 1) return;
  throw ConfigError(cat("Slurm has ", tasks, " tasks for this job, but this process is a world of ",
                        "its own (each task would do the whole work over again); start it with ",
                        "`srun --mpi=pmix`, or with `srun --mpi=pmix --ntasks=1` if one rank is ",
                        "meant"));
}

}  // namespace

int launched_rank() {
  for (const char* name : {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "SLURM_PROCID"}) {
    if (std::getenv(name) != nullptr) return environment_number(name, 0);
  }
  return 0;
}

Session Session::open(double deadline_s) {
  if (opened.exchange(true)) {
    throw CommError("a second Session was opened in one process (MPI can be started only once)");
  }
  Session session;
  session.host_ = host_name();
  if (under_launcher()) session.join_mpi(deadline_s);
  refuse_singletons(session.world_size_);
  return session;
}

void Session::join_mpi(double deadline_s) {
  int provided = 0;
  {
    const Watchdog watchdog(
        deadline_s,
        cat("rank ", launched_rank(), " on ", host_, " waited ", fixed(deadline_s, 1),
            " s for MPI to start (other ranks did not arrive, or the nodes cannot reach ",
            "each other). See what the launcher and the other ranks say; a slow start "
            "can be given longer by parallel.startup_timeout_s."));
    check_mpi(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_MULTIPLE, &provided), "MPI_Init_thread");
  }
  uses_mpi_ = true;
  check_mpi(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
  check_mpi(MPI_Comm_set_errhandler(MPI_COMM_SELF, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
  if (provided < MPI_THREAD_MULTIPLE) {
    throw CommError(
        "this MPI does not allow calls from several threads at once (reductions run beside the "
        "training step); use one built with MPI_THREAD_MULTIPLE, as Open MPI 4 is by default");
  }
  check_mpi(MPI_Comm_rank(MPI_COMM_WORLD, &rank_), "MPI_Comm_rank");
  check_mpi(MPI_Comm_size(MPI_COMM_WORLD, &world_size_), "MPI_Comm_size");
  MPI_Comm host = MPI_COMM_NULL;
  check_mpi(MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, rank_, MPI_INFO_NULL, &host),
            "MPI_Comm_split_type");
  check_mpi(MPI_Comm_rank(host, &local_rank_), "MPI_Comm_rank");
  check_mpi(MPI_Comm_size(host, &local_size_), "MPI_Comm_size");
  check_mpi(MPI_Comm_free(&host), "MPI_Comm_free");
}

Session::Session(Session&& other) noexcept
    : rank_(other.rank_),
      world_size_(other.world_size_),
      local_rank_(other.local_rank_),
      local_size_(other.local_size_),
      host_(other.host_),
      uses_mpi_(std::exchange(other.uses_mpi_, false)) {}

void Session::finish(double deadline_s) {
  if (!uses_mpi_) return;
  MPI_Request request = MPI_REQUEST_NULL;
  check_mpi(MPI_Ibarrier(MPI_COMM_WORLD, &request), "MPI_Ibarrier");
  Patience patience;
  for (int done = 0;;) {
    check_mpi(MPI_Test(&request, &done, MPI_STATUS_IGNORE), "MPI_Test");
    if (done != 0) break;
    patience.pause();
    if (patience.elapsed_s() > deadline_s) {
      throw CommError(cat("rank ", rank_, " waited ", fixed(deadline_s, 1),
                          " s for the other ranks at the end of the job (a rank has died or is ",
                          "stuck); see the logs of the other ranks"));
    }
  }
  uses_mpi_ = false;
  const Watchdog watchdog(deadline_s, cat("rank ", rank_, " waited ", fixed(deadline_s, 1),
                                          " s for MPI to end, after its work was done."));
  check_mpi(MPI_Finalize(), "MPI_Finalize");
}

void Session::abort(ExitCode code) noexcept {
  if (uses_mpi_) MPI_Abort(MPI_COMM_WORLD, static_cast<int>(code));
  std::_Exit(static_cast<int>(code));
}

}  // namespace effuse
