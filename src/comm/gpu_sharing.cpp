#include "comm/gpu_sharing.hpp"

#include <c10/cuda/CUDAException.h>
#include <cuda_runtime_api.h>

#include <cstdlib>
#include <cstring>
#include <string>

#include "core/text.hpp"

namespace effuse {
namespace {

/// What tells this rank's GPU from all others: host and the GPU's own identity.
std::string gpu_identity(const Session& session, at::Device device) {
  cudaDeviceProp properties{};
  C10_CUDA_CHECK(cudaGetDeviceProperties(&properties, device.index()));
  return session.host() + " " + std::string(properties.uuid.bytes, sizeof(properties.uuid.bytes));
}

bool sharing_allowed() {
  const char* shared = std::getenv("NCCL_MULTI_RANK_GPU_ENABLE");
  return (shared != nullptr && std::strcmp(shared, "1") == 0) ||
         std::getenv("NCCL_HOSTID") != nullptr;
}

}  // namespace

void refuse_shared_gpus(Communicator& host, const Session& session, at::Device device) {
  const auto gpus = host.all_gather_text(gpu_identity(session, device));
  if (sharing_allowed()) return;
  for (std::size_t a = 0; a < gpus.size(); ++a) {
    for (std::size_t b = a + 1; b < gpus.size(); ++b) {
      if (gpus[a] != gpus[b]) continue;
      throw ConfigError(cat("ranks ", a, " and ", b, " are on the same GPU of ",
                            gpus[a].substr(0, gpus[a].find(' ')),
                            " (NCCL wants one each); start as many ranks a node as it has GPUs, "
                            "and see that Slurm gives every task all GPUs of its node or one of "
                            "its own"));
    }
  }
}

}  // namespace effuse
