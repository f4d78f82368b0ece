#pragma once

#include <ATen/core/Tensor.h>

#include <string>

#include "comm/communicator.hpp"
#include "comm/session.hpp"

namespace effuse {

/// Collective. What the run was made with, as JSON: versions, revision, hosts, devices, threads and
/// the time it began.
std::string describe_environment(Communicator& comm, const Session& session, at::Device device,
                                 int threads);

}  // namespace effuse
