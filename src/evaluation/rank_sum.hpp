#pragma once

#include <ATen/core/Tensor.h>

#include "comm/communicator.hpp"

namespace effuse {

/// Collective. The sum of the ranks' tensors of one shape, on the CPU; `device` is where the
/// communicator works. Where each element is other than 0 at one rank at most, the sum is exact.
at::Tensor sum_over_ranks(const at::Tensor& part, Communicator& comm, at::Device device);

}  // namespace effuse
