#include "evaluation/feature_pass.hpp"

#include <ATen/ATen.h>

#include <algorithm>

#include "comm/agreement.hpp"
#include "core/ordered_workers.hpp"
#include "evaluation/batch_reader.hpp"
#include "evaluation/rank_share.hpp"
#include "evaluation/tile_rounds.hpp"

namespace effuse {
namespace {

constexpr std::int64_t kTilesAhead = 4;

int reading_threads(const ImageSource& source, const PassSettings& settings) {
  const int most = source.readers();
  return most > 0 ? std::min(most, settings.workers) : settings.workers;
}

}  // namespace

std::optional<FeatureSet> compute_features(const FeatureNetwork& network, const ImageSource& source,
                                           const PassSettings& settings, Communicator& comm,
                                           at::Device device) {
  const std::int64_t tile = settings.tile;
  const IndexRange mine = range_of_rank(source.count(), tile, comm.rank(), comm.world_size());
  const auto batches = agree_value(comm, [&] { return BatchReader(source); });
  FeatureCollector collector(network, settings.keep, device);
  OrderedWorkers<at::Tensor> reader(
      reading_threads(source, settings), (mine.count() + tile - 1) / tile, kTilesAhead,
      [&](std::int64_t k) {
        const std::int64_t first = mine.first + k * tile;
        return batches.read(first, std::min(tile, mine.end - first), tile);
      });
  const TileRounds rounds{source.count(), tile,
                          show_progress(settings.task, source.count(), settings.progress)};
  const bool finished = go_through_tiles(rounds, comm, device, [&](const IndexRange& wanted) {
    collector.take(reader.next(), wanted.count(),
                   [&](std::int64_t i) { return source.place(wanted.first + i); });
  });
  if (!finished) return std::nullopt;
  return collector.join(source.count(), tile, comm);
}

}  // namespace effuse
