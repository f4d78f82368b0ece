#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "evaluation/feature_network.hpp"
#include "evaluation/moments.hpp"

namespace effuse {

/// Statistics of features as a file holds them.
struct Statistics {
  Gaussian gaussian;
  std::optional<Moments> moments;       ///< where the file can be added to others
  std::optional<FeatureOrigin> origin;  ///< where the file says it
  std::string images;                   ///< fingerprint of the images; empty: not known
};

/// Whether the file is a .npz with mu and sigma.
bool holds_statistics(const std::filesystem::path& file);

/// Reads mu [D] and sigma [D, D] as pytorch-fid, EDM and ADM write them, and what
/// write_statistics() adds. Throws DataError naming the file and the array.
Statistics read_statistics(const std::filesystem::path& file);

/// mu and sigma, as those write them, and besides them count, sum [D] and outer_sum [D, D], from
/// which the statistics of several files together follow; network, network_sha256, convention and
/// images as texts. Whole or absent. `moments` are of two images at least.
void write_statistics(const std::filesystem::path& file, const Moments& moments,
                      const FeatureOrigin& origin, const std::string& images);

/// Throws DataError naming the file where its statistics are of other features than the network's.
void require_same_features(const Statistics& statistics, const std::filesystem::path& file,
                           const FeatureOrigin& origin, std::int64_t dimensions);

}  // namespace effuse
