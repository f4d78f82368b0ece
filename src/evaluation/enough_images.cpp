#include "evaluation/enough_images.hpp"

#include "core/error.hpp"
#include "core/text.hpp"

namespace effuse {
namespace {

constexpr const char* kImages = "images";
constexpr const char* kReference = "reference images";

/// A metric that looks at the k-th neighbour of each image, and the setting that is its k.
struct NeighbourMetric {
  const char* name;
  const char* key;
  std::int64_t k;
};

void require_two(const std::optional<std::int64_t>& count, const char* whose) {
  if (!count || *count >= 2) return;
  throw DataError(cat("fid compares covariances, which need two ", whose, ", but there is ", *count,
                      ". Give more."));
}

void require_neighbours(const std::optional<std::int64_t>& count, const char* whose,
                        const NeighbourMetric& metric) {
  if (!count || *count > metric.k) return;
  throw DataError(cat(metric.name, " need the neighbour number ", metric.k,
                      " of every image, but there are ", *count, " ", whose, " (", metric.key,
                      "). Give more images?"));
}

}  // namespace

void require_subset(std::int64_t count, const char* whose, std::int64_t subset_size) {
  if (count >= subset_size) return;
  throw DataError(cat("KID draws subsets of ", subset_size, " images, but there are ", count, " ",
                      whose,
                      " (evaluation.kid_subset_size). Give more images, or set "
                      "evaluation.kid_subset_size to ",
                      count, " or less?"));
}

void require_splits(std::int64_t count, std::int64_t splits) {
  if (count >= splits) return;
  throw DataError(cat("the Inception Score is the mean over ", splits, " splits, but there are ",
                      count, " images. Give more images, or set evaluation.splits lower?"));
}

void require_enough_images(const ScorePlan& plan, const EvaluationConfig& settings,
                           const ImageCounts& counts) {
  if (plan.fid) {
    require_two(counts.reference, kReference);
    require_two(counts.images, kImages);
  }
  if (plan.inception_score && counts.images) require_splits(*counts.images, settings.splits);
  if (plan.kid) {
    if (counts.reference) require_subset(*counts.reference, kReference, settings.kid_subset_size);
    if (counts.images) require_subset(*counts.images, kImages, settings.kid_subset_size);
  }
  if (plan.precision_recall) {
    const NeighbourMetric metric{"precision and recall", "evaluation.neighbours",
                                 settings.neighbours};
    require_neighbours(counts.reference, kReference, metric);
    require_neighbours(counts.images, kImages, metric);
  }
  if (plan.density_coverage) {
    // The balls are the reference's alone.
    require_neighbours(
        counts.reference, kReference,
        {"density and coverage", "evaluation.density_neighbours", settings.density_neighbours});
  }
}

}  // namespace effuse
