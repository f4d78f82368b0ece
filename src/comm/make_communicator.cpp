#include "comm/backends.hpp"
#include "core/text.hpp"

namespace effuse {
namespace {

std::string choose_backend(const Session& session, at::Device device) {
  if (session.world_size() == 1) return "single";
  return device.is_cuda() ? "nccl" : "mpi";
}

}  // namespace

std::unique_ptr<Communicator> make_communicator(Session& session, const std::string& backend,
                                                at::Device device, const Deadlines& deadlines) {
  const std::string chosen = backend == "auto" ? choose_backend(session, device) : backend;
  if (chosen == "single") {
    if (session.world_size() > 1) {
      throw ConfigError(cat("parallel.backend is single, but the job has ", session.world_size(),
                            " ranks (each would do the whole work alone); use auto"));
    }
    return make_single(deadlines);
  }
  if (chosen == "mpi") {
    if (!session.uses_mpi()) {
      throw ConfigError(
          "parallel.backend is mpi, but no launcher started this process; start it with mpirun or "
          "`srun --mpi=pmix`, or use auto");
    }
    if (!device.is_cpu()) {
      throw ConfigError(cat("parallel.backend is mpi, which reduces tensors on the CPU, but this ",
                            "rank computes on ", device.str(), "; use nccl or auto"));
    }
    return make_mpi(session, deadlines);
  }
  if (chosen == "nccl") {
    if (!device.is_cuda()) {
      throw ConfigError(
          "parallel.backend is nccl, which reduces tensors on GPUs, but this rank computes on the "
          "CPU; use mpi or auto, or set parallel.device to a GPU");
    }
    return make_nccl(session, device, deadlines);
  }
  throw ConfigError(
      cat("parallel.backend is \"", backend, "\"; it can be auto, single, mpi or ", "nccl"));
}

}  // namespace effuse
