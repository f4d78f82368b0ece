#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <string>

#include "comm/communicator.hpp"
#include "comm/session.hpp"
#include "metrics/registry.hpp"

namespace effuse {

/// Collective. What the run was made with, as JSON: versions, revision, hosts, devices, threads and
/// the time it began.
std::string describe_environment(Communicator& comm, const Session& session, at::Device device,
                                 int threads);

/// Where a run goes on with another build or libtorch than `before` (the environment.json of the
/// attempt before, or nothing) says: that results may differ in the last bits.
void warn_of_other_build(const std::filesystem::path& before);

/// effuse_build_info.
void describe_build(metrics::Registry& registry);

}  // namespace effuse
