#include "evaluation/feature_scores.hpp"

#include <nlohmann/json.hpp>

#include "comm/agreement.hpp"
#include "core/log.hpp"
#include "evaluation/frechet.hpp"
#include "evaluation/inception_score.hpp"
#include "evaluation/kernel_distance.hpp"
#include "evaluation/manifold.hpp"

namespace effuse {
namespace {

using Json = nlohmann::ordered_json;

void warn_of_few_images(const Gaussian& gaussian, const char* whose) {
  if (gaussian.count == 0 || gaussian.count > gaussian.dimensions()) return;
  log::warning(gaussian.count, " ", whose, " are too few for ", gaussian.dimensions(),
               " features: their covariance is singular and fid far too high to be compared with "
               "that of other numbers of images (50,000 are usual)");
}

Json fid(const Side& images, const Side& reference) {
  warn_of_few_images(images.gaussian, "images");
  warn_of_few_images(reference.gaussian, "reference images");
  const FrechetDistance distance = frechet_distance(images.gaussian, reference.gaussian);
  return {{"value", distance.value}, {"mean", distance.mean}, {"spread", distance.spread}};
}

Json kid(const SharedRows& reference, const SharedRows& images, const EvaluationConfig& settings,
         Communicator& comm, at::Device device) {
  const KernelDistanceSettings subsets{.subsets = settings.kid_subsets,
                                       .subset_size = settings.kid_subset_size,
                                       .seed = static_cast<std::uint64_t>(settings.seed)};
  const MeanDeviation distance = kernel_distance(reference, images, subsets, comm, device);
  return {{"value", distance.mean},
          {"deviation", distance.deviation},
          {"subsets", subsets.subsets},
          {"subset_size", subsets.subset_size}};
}

Json inception(const SharedRows& logits, const EvaluationConfig& settings, Communicator& comm,
               at::Device device) {
  const InceptionScoreSettings splits{.splits = settings.splits,
                                      .seed = static_cast<std::uint64_t>(settings.seed)};
  const MeanDeviation score = inception_score(logits, splits, comm, device);
  return {{"value", score.mean}, {"deviation", score.deviation}, {"splits", settings.splits}};
}

void add_manifold(Json& scores, const ScorePlan& plan, const ManifoldScores& found,
                  const ManifoldSettings& settings) {
  if (plan.precision_recall) {
    scores["precision"] = {{"value", found.precision}, {"neighbours", settings.neighbours}};
    scores["recall"] = {{"value", found.recall}, {"neighbours", settings.neighbours}};
  }
  if (plan.density_coverage) {
    scores["density"] = {{"value", found.density}, {"neighbours", settings.density_neighbours}};
    scores["coverage"] = {{"value", found.coverage}, {"neighbours", settings.density_neighbours}};
  }
}

}  // namespace

Json score_features(const ScorePlan& plan, const Side& images, const Side* reference,
                    const EvaluationConfig& settings, Communicator& comm, at::Device device) {
  Json scores = Json::object();
  if (plan.fid) scores["fid"] = agree_value(comm, [&] { return fid(images, *reference); });
  if (plan.inception_score) scores["is"] = inception(images.logits, settings, comm, device);
  if (plan.kid) scores["kid"] = kid(reference->pooled, images.pooled, settings, comm, device);
  if (plan.uses_manifold()) {
    const ManifoldSettings neighbours{.neighbours = settings.neighbours,
                                      .density_neighbours = settings.density_neighbours};
    const ManifoldScores found =
        manifold_scores(reference->pooled, images.pooled, neighbours, comm, device);
    add_manifold(scores, plan, found, neighbours);
  }
  return scores;
}

}  // namespace effuse
