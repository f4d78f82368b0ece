#include "app/generated_features.hpp"

#include <ATen/ATen.h>

#include <utility>

#include "comm/stop_agreement.hpp"
#include "core/stop.hpp"
#include "diffusion/quantise.hpp"
#include "evaluation/tile_rounds.hpp"

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
  const TileRounds rounds{"sample and score", count, tile, task.progress};
  const bool finished = go_through_tiles(rounds, comm, device, [&](const IndexRange& images) {
    make(task.tiles.at(static_cast<std::size_t>(images.first / tile)));
  });
  if (!finished || any_rank_stops(comm, device)) return std::nullopt;
  GeneratedSet set{collector.join(count, tile, comm), {}};
  if (!kept.empty()) set.pixels = {at::cat(kept), count, tile};
  return set;
}

}  // namespace effuse
