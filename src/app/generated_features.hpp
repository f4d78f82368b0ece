#pragma once

#include <optional>
#include <vector>

#include "comm/communicator.hpp"
#include "evaluation/feature_collector.hpp"
#include "evaluation/tile_rounds.hpp"
#include "generation/tile_generator.hpp"

namespace effuse {

/// Images that were scored as they came from the sampler.
struct GeneratedSet {
  FeatureSet features;
  SharedRows pixels;  ///< uint8 [N, H, W, C], where they were to be kept
};

struct GeneratedTask {
  /// Of a set that begins with a whole tile.
  std::vector<Tile> tiles;
  Keep features = Keep::moments;
  enum class Pixels { drop, keep } pixels = Pixels::drop;
  TileReport report{};
};

/// Collective. Generates the images of a set, each rank a run of tiles, quantises them as files
/// would be, and computes their features; nothing is written. Empty where a rank was asked to stop.
std::optional<GeneratedSet> generate_features(const TileGenerator& generator,
                                              const GeneratedTask& task,
                                              const FeatureNetwork& network, Communicator& comm,
                                              at::Device device);

}  // namespace effuse
