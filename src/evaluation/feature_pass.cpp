#include "evaluation/feature_pass.hpp"

#include <ATen/ATen.h>

#include <algorithm>

#include "comm/agreement.hpp"
#include "comm/stop_agreement.hpp"
#include "core/ordered_workers.hpp"
#include "evaluation/rank_share.hpp"

namespace effuse {
namespace {

constexpr int kRgb = 3;
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
  const IndexRange range = range_of_rank(source.count(), tile, comm.rank(), comm.world_size());
  const std::int64_t mine = (range.count() + tile - 1) / tile;
  const auto wanted = [&](std::int64_t k) { return std::min(tile, range.count() - k * tile); };
  FeatureCollector collector(network, settings.keep, device);
  OrderedWorkers<at::Tensor> reader(
      reading_threads(source, settings), mine, kTilesAhead, [&](std::int64_t k) {
        return read_images(source, range.first + k * tile, wanted(k), tile, kRgb);
      });
  Progress progress({.task = settings.task,
                     .unit = "images",
                     .total = static_cast<std::uint64_t>(source.count()),
                     .style = settings.progress});
  const std::int64_t rounds = most_tiles_of_a_rank(source.count(), tile, comm.world_size());
  for (std::int64_t k = 0; k < rounds; ++k) {
    if (any_rank_stops(comm, device)) return std::nullopt;
    agree(comm, [&] {
      if (k < mine) collector.take(reader.next(), wanted(k));
    });
    progress.update(
        static_cast<std::uint64_t>(std::min((k + 1) * tile * comm.world_size(), source.count())));
  }
  progress.finish();
  return collector.join(source.count(), tile, comm);
}

}  // namespace effuse
