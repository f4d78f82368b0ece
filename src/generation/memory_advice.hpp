#pragma once

#include <ATen/core/Tensor.h>

#include <functional>

#include "generation/tile_generator.hpp"

namespace effuse {

/// What `compute` returns. Where it runs out of memory, on whatever device, throws Error with a
/// smaller tile for which a denoising step can be made: the largest of 1, 2, 4 …, which are tried.
at::Tensor with_memory_advice(const TileGenerator& generator,
                              const std::function<at::Tensor()>& compute);

}  // namespace effuse
