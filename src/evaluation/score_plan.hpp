#pragma once

#include <string>
#include <vector>

#include "config/config.hpp"

namespace effuse {

/// What an evaluation has to compute.
struct ScorePlan {
  bool fid = false;
  bool kid = false;
  bool inception_score = false;
  bool precision_recall = false;
  bool density_coverage = false;
  bool psnr = false;
  bool ssim = false;

  bool uses_features() const {
    return fid || kid || inception_score || precision_recall || density_coverage;
  }

  /// Of pairs of images, pixel by pixel.
  bool compares_pairs() const { return psnr || ssim; }
  bool uses_manifold() const { return precision_recall || density_coverage; }

  /// Metrics that need the features themselves, where fid is content with their moments.
  bool needs_features_of_images() const { return kid || inception_score || uses_manifold(); }
  bool needs_features_of_reference() const { return kid || uses_manifold(); }

  bool needs_reference() const { return fid || needs_features_of_reference() || compares_pairs(); }
};

/// The metrics of evaluation.metrics, or fid where none is named and there is a reference. Throws
/// ConfigError where one needs a reference and there is none.
ScorePlan plan_scores(const EvaluationConfig& config);

}  // namespace effuse
