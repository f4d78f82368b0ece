#pragma once

#include <cstdint>
#include <vector>

#include "core/random.hpp"

namespace effuse {

/// `number` of 0 … count-1, each at most once, in the order drawn: the first steps of Fisher and
/// Yates. number <= count < 2^32.
std::vector<std::int64_t> draw_without_replacement(RandomStream& random, std::int64_t number,
                                                   std::int64_t count);

}  // namespace effuse
