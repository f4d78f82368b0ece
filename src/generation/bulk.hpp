#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "comm/communicator.hpp"
#include "generation/image_store.hpp"
#include "generation/rank_progress.hpp"
#include "generation/tile_generator.hpp"

namespace effuse {

/// What of a set is there, and what this job has made of it.
struct BulkProgress {
  std::int64_t images = 0;  ///< of the job's that are there
  std::int64_t total = 0;   ///< of the job
  std::int64_t made = 0;    ///< of them by this job
  std::int64_t tiles = 0;   ///< in which they were made
};

struct BulkTask {
  std::vector<Tile> tiles;   ///< of this job
  double patience_s = 1800;  ///< how long a rank may take for a denoising step
  /// At times, first before the first image; from a thread.
  std::function<void(const BulkProgress&)> report;
};

enum class BulkEnd { finished, stopped };

/// Collective. Generates the images of a job's tiles into the store, those that are not there dealt
/// out over the ranks, so that a set that was interrupted is completed. Ranks do not wait for one
/// another but at the end. Stops at all ranks when one is asked to, within a denoising step; where
/// one fails all stop, and its error is thrown at all (AgreedError). `comm`: of CPU tensors.
BulkEnd generate_in_bulk(const TileGenerator& generator, const BulkTask& task,
                         const ImageStore& store, Communicator& comm);

}  // namespace effuse
