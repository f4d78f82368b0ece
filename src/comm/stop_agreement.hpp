#pragma once

#include <ATen/core/Tensor.h>

#include "comm/communicator.hpp"

namespace effuse {

/// Collective. Whether any rank was asked to stop; the same answer at all.
bool any_rank_stops(Communicator& comm, at::Device device);

}  // namespace effuse
