#include "comm/backends.hpp"
#include "comm/library_versions.hpp"

namespace effuse {

std::string nccl_version() { return {}; }

std::unique_ptr<Communicator> make_nccl(const Session&, at::Device, const Deadlines&) {
  throw ConfigError(
      "the NCCL backend is not in this build (it was configured without CUDA); build with "
      "-DEFFUSE_CUDA=ON, or compute on the CPU");
}

}  // namespace effuse
