#pragma once

#include <cstdint>
#include <filesystem>
#include <future>
#include <optional>
#include <string>

#include "evaluation/feature_network.hpp"
#include "evaluation/image_source.hpp"

namespace effuse {

/// Makes `folder` ready to keep features that depend on what `record` says, a JSON object, which is
/// written there as features.json. Features that depend on anything else are removed, which is said
/// in the log. Throws ConfigError where other files are in the folder. By one rank, before any
/// other uses the folder.
void begin_kept_features(const std::filesystem::path& folder, const std::string& record);

/// All that features depend on. `device`: "cpu" or "cuda".
std::string features_record(const FeatureOrigin& origin, std::int64_t tile,
                            const std::string& device, const ImageSource& source);

/// What of features is asked for.
struct FeatureShape {
  std::int64_t images = 0;
  std::int64_t dimensions = 0;
  enum class Logits { none, some } logits = Logits::none;
};

/// The features of a set of images in a folder, 00000000.npz …, a tile a file, from which a job
/// that was killed or stopped goes on.
class KeptFeatures {
 public:
  /// `record`: what begin_kept_features() was told.
  KeptFeatures(std::filesystem::path folder, const std::string& record);

  /// Whether find() gives something. What is damaged is said in the log.
  bool has(std::int64_t tile, const FeatureShape& shape) const;

  /// Empty where they are not there, not of that shape, of another record, or damaged. Logits that
  /// are not asked for are left aside.
  std::optional<Features> find(std::int64_t tile, const FeatureShape& shape) const;

  /// Writes them while its caller goes on; returns once those before are written. A disk that takes
  /// no more is said once, and matters no further.
  void keep(std::int64_t tile, const Features& features);

  /// Returns once everything is written.
  void finish();

  const std::filesystem::path& folder() const { return folder_; }

 private:
  std::filesystem::path file(std::int64_t tile) const;
  std::optional<Features> read(std::int64_t tile, const FeatureShape& shape) const;
  void write(std::int64_t tile, const Features& features) const;

  std::filesystem::path folder_;
  std::string record_sha256_;
  std::future<bool> last_;  ///< whether it was written
  bool keeps_ = true;
};

}  // namespace effuse
