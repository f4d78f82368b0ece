#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>

#include "comm/communicator.hpp"
#include "core/progress.hpp"
#include "generation/tile_generator.hpp"

namespace effuse {

struct BulkTask {
  std::filesystem::path folder;
  std::int64_t images = 0;
  std::int64_t tile_size = 16;
  ProgressStyle progress = ProgressStyle::silent;
};

enum class BulkEnd { finished, stopped };

/// Collective. Generates the images of a set into files, the tiles dealt out over the ranks. Tiles
/// whose files are all there are left out, so a set that was interrupted is completed. Stops at all
/// ranks when one is asked to, with every file whole or absent.
BulkEnd generate_in_bulk(const TileGenerator& generator, const BulkTask& task, Communicator& comm,
                         at::Device device);

}  // namespace effuse
