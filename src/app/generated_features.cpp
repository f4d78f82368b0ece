#include "app/generated_features.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <utility>

#include "comm/agreement.hpp"
#include "comm/stop_agreement.hpp"
#include "core/stop.hpp"
#include "diffusion/quantise.hpp"

namespace effuse {
namespace {

constexpr std::int64_t kRgb = 3;

/// [N, H, W, 3]: grey is repeated, as with_channels() does.
at::Tensor as_rgb(const at::Tensor& pixels) {
  if (pixels.size(3) == kRgb) return pixels;
  return pixels.expand({pixels.size(0), pixels.size(1), pixels.size(2), kRgb}).contiguous();
}

}  // namespace

std::optional<GeneratedSet> generate_features(const TileGenerator& generator,
                                              const GeneratedTask& task,
                                              const FeatureNetwork& network, Communicator& comm,
                                              at::Device device) {
  const std::int64_t tile = generator.settings().tile_size;
  const std::int64_t count = task.tiles.back().wanted.end - task.tiles.front().wanted.first;
  const IndexRange mine = range_of_rank(count, tile, comm.rank(), comm.world_size());
  FeatureCollector collector(network, task.features, device);
  std::vector<at::Tensor> kept;
  const auto make = [&](const Tile& wanted) {
    const at::Tensor images = generator.generate(wanted, [] { return stop_signal() != 0; });
    if (!images.defined()) return;  // the ranks learn of it before the next tile
    const at::Tensor pixels = to_uint8(images);
    collector.take(as_rgb(pixels), wanted.wanted.count());
    if (task.pixels == GeneratedTask::Pixels::keep) {
      kept.push_back(pixels.narrow(0, 0, wanted.wanted.count()).clone());
    }
  };
  Progress progress({.task = "sample and score",
                     .unit = "images",
                     .total = static_cast<std::uint64_t>(count),
                     .style = task.progress});
  const std::int64_t rounds = most_tiles_of_a_rank(count, tile, comm.world_size());
  for (std::int64_t k = 0; k < rounds; ++k) {
    if (any_rank_stops(comm, device)) return std::nullopt;
    agree(comm, [&] {
      const std::int64_t first = mine.first + k * tile;
      if (first < mine.end) make(task.tiles.at(static_cast<std::size_t>(first / tile)));
    });
    progress.update(
        static_cast<std::uint64_t>(std::min((k + 1) * tile * comm.world_size(), count)));
  }
  if (any_rank_stops(comm, device)) return std::nullopt;
  progress.finish();
  GeneratedSet set{collector.join(count, tile, comm), {}};
  if (!kept.empty()) set.pixels = {at::cat(kept), count, tile};
  return set;
}

}  // namespace effuse
