#include "evaluation/tile_rounds.hpp"

#include <algorithm>

#include "comm/agreement.hpp"
#include "comm/stop_agreement.hpp"
#include "evaluation/rank_share.hpp"

namespace effuse {

bool go_through_tiles(const TileRounds& rounds, Communicator& comm, at::Device device,
                      const std::function<void(const IndexRange&)>& work) {
  const auto [count, tile] = std::pair(rounds.count, rounds.tile);
  const IndexRange mine = range_of_rank(count, tile, comm.rank(), comm.world_size());
  Progress progress({.task = rounds.task,
                     .unit = "images",
                     .total = static_cast<std::uint64_t>(count),
                     .style = rounds.progress});
  const std::int64_t most = most_tiles_of_a_rank(count, tile, comm.world_size());
  for (std::int64_t k = 0; k < most; ++k) {
    if (any_rank_stops(comm, device)) return false;
    agree(comm, [&] {
      const std::int64_t first = mine.first + k * tile;
      if (first < mine.end) work({first, std::min(first + tile, mine.end)});
    });
    progress.update(
        static_cast<std::uint64_t>(std::min((k + 1) * tile * comm.world_size(), count)));
  }
  progress.finish();
  return true;
}

}  // namespace effuse
