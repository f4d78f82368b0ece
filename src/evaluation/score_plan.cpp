#include "evaluation/score_plan.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "core/text.hpp"

namespace effuse {

ScorePlan plan_scores(const EvaluationConfig& config) {
  const auto asks = [&](const char* metric) {
    return std::find(config.metrics.begin(), config.metrics.end(), metric) != config.metrics.end();
  };
  const bool has_reference = !config.reference.empty();
  const ScorePlan plan{.fid = asks("fid") || (config.metrics.empty() && has_reference),
                       .kid = asks("kid"),
                       .inception_score = asks("is"),
                       .precision_recall = asks("precision_recall"),
                       .density_coverage = asks("density_coverage"),
                       .psnr = asks("psnr"),
                       .ssim = asks("ssim")};
  for (const std::string& metric : config.metrics) {
    if (metric == "is" || has_reference) continue;
    throw ConfigError(cat("evaluation.metrics: ", metric,
                          " compares with a reference, and there is none. Give --reference."));
  }
  return plan;
}

}  // namespace effuse
