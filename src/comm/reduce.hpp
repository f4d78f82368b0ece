#pragma once

#include <c10/core/ScalarType.h>

#include <cstddef>
#include <span>

#include "comm/communicator.hpp"

namespace effuse {

/// out[i] = parts[0][i] op parts[1][i] op …, each of `count` elements, in exactly this order, so
/// that the bits depend on nothing but the parts. bfloat16 and float16 are summed in float32 and
/// rounded once. `out` may be one of the parts.
void reduce_in_order(at::ScalarType type, ReduceOp op, std::span<const std::byte* const> parts,
                     std::byte* out, std::size_t count);

}  // namespace effuse
