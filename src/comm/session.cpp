#include "comm/session.hpp"

#include <mpi.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <utility>
#include <vector>

#include "comm/mpi_check.hpp"
#include "comm/patience.hpp"
#include "comm/roll_call.hpp"
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

/// Collective.
std::vector<std::string> hosts_by_rank(const std::string& own, int world_size) {
  using Name = std::array<char, 64>;
  Name name{};
  own.copy(name.data(), name.size() - 1);
  std::vector<Name> names(static_cast<std::size_t>(world_size));
  check_mpi(MPI_Allgather(name.data(), sizeof name, MPI_BYTE, names.data(), sizeof name, MPI_BYTE,
                          MPI_COMM_WORLD),
            "MPI_Allgather");
  std::vector<std::string> hosts;
  for (const Name& host : names) hosts.emplace_back(host.data());
  return hosts;
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
  const Watchdog watchdog(
      deadline_s, cat("rank ", launched_rank(), " on ", host_, " waited ", fixed(deadline_s, 1),
                      " s for MPI to start (other ranks did not arrive, or the nodes cannot reach ",
                      "each other). See what the launcher and the other ranks say; a slow start "
                      "can be given longer by parallel.startup_timeout_s."));
  start_mpi();
  meet_others(deadline_s);
}

void Session::start_mpi() {
  int provided = 0;
  check_mpi(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_MULTIPLE, &provided), "MPI_Init_thread");
  uses_mpi_ = true;
  check_mpi(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
  check_mpi(MPI_Comm_set_errhandler(MPI_COMM_SELF, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
  if (provided < MPI_THREAD_MULTIPLE) {
    throw CommError(
        "this MPI does not allow calls from several threads at once (reductions run beside the "
        "training step); use one built with MPI_THREAD_MULTIPLE, as Open MPI 4 is by default");
  }
}

void Session::meet_others(double deadline_s) {
  check_mpi(MPI_Comm_rank(MPI_COMM_WORLD, &rank_), "MPI_Comm_rank");
  check_mpi(MPI_Comm_size(MPI_COMM_WORLD, &world_size_), "MPI_Comm_size");
  MPI_Comm host = MPI_COMM_NULL;
  check_mpi(MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, rank_, MPI_INFO_NULL, &host),
            "MPI_Comm_split_type");
  check_mpi(MPI_Comm_rank(host, &local_rank_), "MPI_Comm_rank");
  check_mpi(MPI_Comm_size(host, &local_size_), "MPI_Comm_size");
  check_mpi(MPI_Comm_free(&host), "MPI_Comm_free");
  if (world_size_ > 1) {
    roll_call_ = std::make_unique<RollCall>(rank_, hosts_by_rank(host_, world_size_), deadline_s);
  }
}

Session::Session(Session&& other) noexcept
    : rank_(other.rank_),
      world_size_(other.world_size_),
      local_rank_(other.local_rank_),
      local_size_(other.local_size_),
      host_(other.host_),
      uses_mpi_(std::exchange(other.uses_mpi_, false)),
      roll_call_(std::move(other.roll_call_)) {}

Session::~Session() = default;

void Session::wait_for_all(double deadline_s) {
  const OperationLabel end{CommSection::startup, "the end of the job", 0, deadline_s};
  if (roll_call_) roll_call_->own().come_to(Whereabouts::kSession, end);
  MPI_Request request = MPI_REQUEST_NULL;
  check_mpi(MPI_Ibarrier(MPI_COMM_WORLD, &request), "MPI_Ibarrier");
  Patience patience;
  double next_s = deadline_s;  // when to ask
  for (int done = 0;;) {
    check_mpi(MPI_Test(&request, &done, MPI_STATUS_IGNORE), "MPI_Test");
    if (done != 0) return;
    patience.pause();
    if (patience.elapsed_s() <= next_s || !roll_call_) continue;
    const auto finding = roll_call_->ask(Whereabouts::kSession, end);
    if (finding.wait_s <= 0.0) {
      throw CommError(cat("rank ", rank_, " waited ", fixed(patience.elapsed_s(), 1),
                          " s for the other ranks at the end of the job: ", finding.missing,
                          ". See what the ranks were doing in their logs."));
    }
    next_s = patience.elapsed_s() + finding.wait_s;
  }
}

void Session::finish(double deadline_s) {
  if (!uses_mpi_) return;
  wait_for_all(deadline_s);
  roll_call_.reset();
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
