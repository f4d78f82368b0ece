#pragma once

#include <ATen/core/Tensor.h>

#include <functional>

#include "generation/tile_generator.hpp"

namespace effuse {

/// What `compute` returns. Where it runs out of memory, on whatever device, throws Error with the
/// largest of 1/2, 1/4 … of the tile for which a denoising step can be made, which is tried.
at::Tensor with_memory_advice(const TileGenerator& generator,
                              const std::function<at::Tensor()>& compute);

}  // namespace effuse
