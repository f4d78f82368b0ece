#include "evaluation/tile_rounds.hpp"

#include <algorithm>
#include <memory>

#include "comm/agreement.hpp"
#include "comm/stop_agreement.hpp"
#include "evaluation/rank_share.hpp"

namespace effuse {
namespace {

/// After as many rounds.
TilesDone done_after(std::int64_t rounds, const TileRounds& set, int world_size) {
  TilesDone done;
  for (int rank = 0; rank < world_size; ++rank) {
    const std::int64_t images =
        std::min(range_of_rank(set.count, set.tile, rank, world_size).count(), rounds * set.tile);
    done.images += images;
    done.tiles += (images + set.tile - 1) / set.tile;
  }
  return done;
}

}  // namespace

TileReport show_progress(const std::string& task, std::int64_t count, ProgressStyle style) {
  const auto progress = std::make_shared<Progress>(Progress::Options{
      .task = task, .unit = "images", .total = static_cast<std::uint64_t>(count), .style = style});
  return [progress, count](const TilesDone& done) {
    progress->update(static_cast<std::uint64_t>(done.images));
    if (done.images == count) progress->finish();
  };
}

bool go_through_tiles(const TileRounds& set, Communicator& comm, at::Device device,
                      const std::function<void(const IndexRange&)>& work) {
  const IndexRange mine = range_of_rank(set.count, set.tile, comm.rank(), comm.world_size());
  const std::int64_t most = most_tiles_of_a_rank(set.count, set.tile, comm.world_size());
  for (std::int64_t round = 0; round < most; ++round) {
    if (any_rank_stops(comm, device)) return false;
    if (set.report) set.report(done_after(round, set, comm.world_size()));
    agree(comm, [&] {
      const std::int64_t first = mine.first + round * set.tile;
      if (first < mine.end) work({first, std::min(first + set.tile, mine.end)});
    });
  }
  if (any_rank_stops(comm, device)) return false;  // the last tile may have been left, too
  if (set.report) set.report(done_after(most, set, comm.world_size()));
  return true;
}

}  // namespace effuse
