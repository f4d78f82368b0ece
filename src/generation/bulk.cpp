#include "generation/bulk.hpp"

#include <algorithm>
#include <vector>

#include "core/stop.hpp"
#include "generation/image_files.hpp"
#include "generation/stop_agreement.hpp"

namespace effuse {
namespace {

bool is_complete(const std::filesystem::path& folder, const Tile& tile) {
  for (std::int64_t i = 0; i < tile.wanted; ++i) {
    if (!has_whole_image(folder, tile.first + i)) return false;
  }
  return true;
}

void make_tile(const TileGenerator& generator, const std::filesystem::path& folder,
               const Tile& tile) {
  if (is_complete(folder, tile)) return;
  const at::Tensor images = generator.generate(tile, [] { return stop_signal() != 0; });
  if (!images.defined()) return;  // made when the set is continued
  for (std::int64_t i = 0; i < tile.wanted; ++i) {
    write_image(folder, tile.first + i, image_at(images, i));
  }
}

}  // namespace

BulkEnd generate_in_bulk(const TileGenerator& generator, const BulkTask& task, Communicator& comm,
                         at::Device device) {
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
    if (round < mine.size()) make_tile(generator, task.folder, mine[round]);
    const std::int64_t done =
        static_cast<std::int64_t>(round + 1) * comm.world_size() * task.tile_size;
    progress.update(static_cast<std::uint64_t>(std::min(done, task.images)));
  }
  if (any_rank_stops(comm, device)) return BulkEnd::stopped;
  progress.finish();
  return BulkEnd::finished;
}

}  // namespace effuse
