#include "app/scorer.hpp"

#include "comm/agreement.hpp"
#include "core/error.hpp"
#include "evaluation/enough_images.hpp"
#include "evaluation/feature_scores.hpp"

namespace effuse {
namespace {

ScorePlan plan_of(const EvaluationConfig& config) {
  const ScorePlan plan = plan_scores(config);
  if (!plan.compares_pairs()) return plan;
  throw ConfigError(
      "evaluation.metrics: psnr and ssim compare pairs of images, and generated ones have no "
      "counterpart. Leave them out.");
}

EvaluationInput open_reference(const EvaluationConfig& config, const ScorePlan& plan) {
  EvaluationInput reference = open_input(config.reference, "reference");
  if (plan.needs_features_of_reference()) require_images_for_features(reference);
  require_enough_images(plan, config, {.images = config.number, .reference = reference.count()});
  return reference;
}

}  // namespace

Scorer::Scorer(const EvaluationConfig& config, Communicator& comm, at::Device device, int threads)
    : config_(config),
      comm_(comm),
      device_(device),
      threads_(threads),
      plan_(agree_value(comm, [&] { return plan_of(config); })),
      network_(agree_value(comm, [&] { return make_feature_network(config, device); })),
      input_(agree_value(comm, [&] { return open_reference(config, plan_); })) {
  require_same_images(input_, comm);
}

bool Scorer::measure_reference(ProgressStyle progress) {
  const SideTask task = reference_task(config_, plan_, network_.get(), threads_, progress);
  reference_ = measure_side(input_, task, comm_, device_);
  return reference_.has_value();
}

nlohmann::ordered_json Scorer::score(const Side& images) {
  return score_features(plan_, images, &*reference_, config_, comm_, device_);
}

Keep Scorer::keep_of_images() const {
  return plan_.needs_features_of_images() ? Keep::features : Keep::moments;
}

void check_scorer(const EvaluationConfig& config) {
  const ScorePlan plan = plan_of(config);
  make_feature_network(config, at::kCPU);
  open_reference(config, plan);
}

}  // namespace effuse
