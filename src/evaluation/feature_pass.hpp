#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "comm/communicator.hpp"
#include "core/progress.hpp"
#include "evaluation/feature_collector.hpp"
#include "evaluation/feature_network.hpp"
#include "evaluation/image_source.hpp"
#include "evaluation/kept_features.hpp"

namespace effuse {

struct PassSettings {
  std::string task = "features";  ///< what progress calls it
  std::int64_t tile = 32;         ///< images in one pass of the network; the last is filled up
  int workers = 1;                ///< threads that read images ahead
  Keep keep = Keep::moments;
  ProgressStyle progress = ProgressStyle::silent;
  /// Where features are kept, tile by tile, and taken from; null: nowhere.
  KeptFeatures* kept = nullptr;
};

/// Collective. The features of all images, each rank computing a run of tiles; an image's do not
/// depend on the number of ranks. Empty where a rank was asked to stop; throws AgreedError where an
/// image cannot be read. Of features that are kept, those that are missing are computed.
std::optional<FeatureSet> compute_features(const FeatureNetwork& network, const ImageSource& source,
                                           const PassSettings& settings, Communicator& comm,
                                           at::Device device);

}  // namespace effuse
