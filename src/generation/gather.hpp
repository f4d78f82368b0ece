#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>

#include "comm/communicator.hpp"
#include "generation/tile_generator.hpp"

namespace effuse {

/// Collective. All images of a small set, computed by all ranks together: uint8 [images, H, W, C]
/// on the CPU, at every rank. For previews and grids; bulk generation writes files instead.
at::Tensor generate_together(const TileGenerator& generator, std::int64_t images,
                             std::int64_t tile_size, Communicator& comm, at::Device device);

}  // namespace effuse
