#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "evaluation/feature_network.hpp"
#include "evaluation/moments.hpp"

namespace effuse {

/// The statistics of a packed data set, kept in its folder so that they are computed once for each
/// network and convention: statistics/<begin of the network's SHA-256>-<convention>.npz.
class StatisticsCache {
 public:
  /// `images`: fingerprint of the data set.
  StatisticsCache(const std::filesystem::path& dataset, FeatureOrigin origin, std::string images);

  const std::filesystem::path& file() const { return file_; }

  /// Empty where there are none, or where they are damaged or of other images, which is said.
  std::optional<Moments> find() const;

  /// A folder that cannot be written is said, and matters no further.
  void keep(const Moments& moments) const;

 private:
  FeatureOrigin origin_;
  std::string images_;
  std::filesystem::path file_;
};

}  // namespace effuse
