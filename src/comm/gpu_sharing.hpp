#pragma once

#include <c10/core/Device.h>

#include "comm/communicator.hpp"

namespace effuse {

/// Collective. Throws ConfigError where two ranks compute on one GPU, unless NCCL's environment
/// allows that: NCCL would otherwise fail later, or hang. Builds with CUDA only.
void refuse_shared_gpus(Communicator& host, const Session& session, at::Device device);

}  // namespace effuse
