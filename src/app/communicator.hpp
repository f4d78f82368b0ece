#pragma once

#include <memory>

#include "comm/communicator.hpp"
#include "config/config.hpp"

namespace effuse {

/// Collective. The communicator that [parallel] describes.
std::unique_ptr<Communicator> open_communicator(Session& session, const ParallelConfig& parallel,
                                                at::Device device);

}  // namespace effuse
