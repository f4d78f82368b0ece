#include "generation/bulk.hpp"

#include <algorithm>
#include <vector>

#include "comm/stop_agreement.hpp"
#include "core/stop.hpp"

namespace effuse {
namespace {

void make_tile(const TileGenerator& generator, const ImageStore& store, const Tile& tile) {
  if (store.has(tile)) return;
  const at::Tensor images = generator.generate(tile, [] { return stop_signal() != 0; });
  if (images.defined()) store.write(tile, images);  // else made when the set is continued
}

}  // namespace

BulkEnd generate_in_bulk(const TileGenerator& generator, const BulkTask& task,
                         const ImageStore& store, Communicator& comm, at::Device device) {
  const auto mine = tiles_of_rank(task.images, task.tile_size, comm.rank(), comm.world_size());
  // Rank 0 has as many tiles as any, so its number of rounds is everybody's.
  const std::size_t rounds =
      tiles_of_rank(task.images, task.tile_size, 0, comm.world_size()).size();
  Progress progress({.task = "sample",
                     .unit = "images",
                     .total = static_cast<std::uint64_t>(task.images),
                     .style = task.progress});
  for (std::size_t round = 0; round < rounds; ++round) {
    if (any_rank_stops(comm, device)) return BulkEnd::stopped;
    if (round < mine.size()) make_tile(generator, store, mine[round]);
    const std::int64_t done =
        static_cast<std::int64_t>(round + 1) * comm.world_size() * task.tile_size;
    progress.update(static_cast<std::uint64_t>(std::min(done, task.images)));
  }
  if (any_rank_stops(comm, device)) return BulkEnd::stopped;
  progress.finish();
  return BulkEnd::finished;
}

}  // namespace effuse
