#include "comm/backends.hpp"

namespace effuse {

std::unique_ptr<Communicator> make_nccl(const Session&, at::Device, const Deadlines&) {
  throw ConfigError(
      "the NCCL backend is not in this build (it was configured without CUDA); build with "
      "-DEFFUSE_CUDA=ON, or compute on the CPU");
}

}  // namespace effuse
