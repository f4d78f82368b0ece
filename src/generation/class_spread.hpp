#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace effuse {

/// The class of each of `images` images, so that the classes come as often as `counts` says and
/// evenly spread: image i gets the class with the largest counts[k] / (2 a[k] + 1), a[k] being how
/// often class k came before (the divisor method of Webster and Sainte-Laguë; of equals the lowest
/// number). What image i gets does not depend on `images`. After Σ counts images each class has
/// come exactly counts[k] times, and the sequence begins again: at most those are returned.
/// Throws Error unless some count is positive and none negative.
std::vector<std::int64_t> spread_classes(std::span<const std::int64_t> counts, std::int64_t images);

}  // namespace effuse
