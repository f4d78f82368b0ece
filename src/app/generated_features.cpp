#include "app/generated_features.hpp"

#include <ATen/ATen.h>

#include <utility>

#include "core/stop.hpp"
#include "core/text.hpp"
#include "diffusion/quantise.hpp"
#include "evaluation/rank_share.hpp"
#include "evaluation/tile_rounds.hpp"
#include "generation/memory_advice.hpp"

namespace effuse {
namespace {

constexpr std::int64_t kRgb = 3;

/// [N, H, W, 3]: grey is repeated, as with_channels() does.
at::Tensor as_rgb(const at::Tensor& pixels) {
  if (pixels.size(3) == kRgb) return pixels;
  return pixels.expand({pixels.size(0), pixels.size(1), pixels.size(2), kRgb}).contiguous();
}

/// [images, H, W, C]
std::vector<std::int64_t> pixel_shape(const TileGenerator& generator, std::int64_t images) {
  const std::vector<std::int64_t> shape = generator.image_shape();
  return {images, shape.at(1), shape.at(2), shape.at(0)};
}

}  // namespace

std::optional<GeneratedSet> generate_features(const TileGenerator& generator,
                                              const GeneratedTask& task,
                                              const FeatureNetwork& network, Communicator& comm,
                                              at::Device device) {
  const std::int64_t tile = generator.settings().tile_size;
  const std::int64_t count = task.tiles.back().wanted.end - task.tiles.front().wanted.first;
  FeatureCollector collector(network, task.features, device);
  const IndexRange mine = range_of_rank(count, tile, comm.rank(), comm.world_size());
  const bool keeps = task.pixels == GeneratedTask::Pixels::keep;
  const at::Tensor kept =
      keeps ? at::empty(pixel_shape(generator, mine.count()), at::kByte) : at::Tensor();
  const auto make = [&](const IndexRange& wanted) {
    const Tile& to_make = task.tiles.at(static_cast<std::size_t>(wanted.first / tile));
    const at::Tensor images = with_memory_advice(
        generator, [&] { return generator.generate(to_make, [] { return stop_signal() != 0; }); });
    if (!images.defined()) return;  // the ranks learn of it before the next tile
    const at::Tensor pixels = to_uint8(images);
    collector.take(as_rgb(pixels), wanted.count(), [&](std::int64_t i) {
      return cat(to_make.wanted.first + i, ", as it was generated,");
    });
    if (!keeps) return;
    kept.narrow(0, wanted.first - mine.first, wanted.count())
        .copy_(pixels.narrow(0, 0, wanted.count()));
  };
  const TileRounds rounds{count, tile, task.report};
  if (!go_through_tiles(rounds, comm, device, make)) return std::nullopt;
  GeneratedSet set{collector.join(count, tile, comm), {}};
  if (keeps) set.pixels = {kept, count, tile};
  return set;
}

}  // namespace effuse
