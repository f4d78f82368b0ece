#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "comm/communicator.hpp"
#include "core/progress.hpp"
#include "generation/image_store.hpp"
#include "generation/tile_generator.hpp"

namespace effuse {

struct BulkTask {
  std::int64_t images = 0;
  std::int64_t tile_size = 16;
  ProgressStyle progress = ProgressStyle::silent;
};

enum class BulkEnd { finished, stopped };

/// Collective. Generates the images of a set into the store, the tiles dealt out over the ranks.
/// Tiles that are there are left out, so a set that was interrupted is completed. Stops at all
/// ranks when one is asked to.
BulkEnd generate_in_bulk(const TileGenerator& generator, const BulkTask& task,
                         const ImageStore& store, Communicator& comm, at::Device device);

}  // namespace effuse
