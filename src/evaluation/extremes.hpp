#pragma once

#include <cstdint>
#include <vector>

#include "comm/communicator.hpp"
#include "evaluation/image_source.hpp"
#include "evaluation/side.hpp"

namespace effuse {

/// Images of a set by their distance from the reference.
struct Extremes {
  std::vector<std::int64_t> nearest;   ///< the nearest first
  std::vector<std::int64_t> farthest;  ///< the farthest first
  std::vector<std::int64_t> random;
};

/// Collective. `number` of each (or all there are): distance is that to the nearest reference image
/// in feature space, or to the reference's mean where its features were not kept. `images.pooled`
/// is defined. The random ones depend on the seed alone.
Extremes find_extremes(const Side& images, const Side& reference, std::int64_t number,
                       std::uint64_t seed, Communicator& comm, at::Device device);

/// Nearest, random and farthest side by side, four columns each.
Image picture_of(const Extremes& extremes, const ImageSource& images);

}  // namespace effuse
