#include "evaluation/inception_score.hpp"

#include <ATen/ATen.h>

#include <cmath>
#include <numeric>
#include <vector>

#include "core/error.hpp"
#include "core/random.hpp"
#include "core/text.hpp"
#include "evaluation/enough_images.hpp"

namespace effuse {
namespace {

void check(const at::Tensor& logits, std::int64_t splits) {
  if (splits < 1) {
    throw ConfigError(cat("the Inception Score needs splits (evaluation.splits is ", splits, ")"));
  }
  if (logits.dim() != 2 || logits.size(1) == 0) {
    throw DataError(cat("logits of shape ", logits.sizes(), " are not [images, classes]"));
  }
  require_splits(logits.size(0), splits);
  if (!at::isfinite(logits).all().item<bool>()) {
    throw DataError("some logits are not finite. Is the network right for these images?");
  }
}

at::Tensor order_of(const InceptionScoreSettings& settings, std::int64_t count) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(count));
  std::iota(order.begin(), order.end(), 0);
  if (settings.order == ScoreOrder::shuffled) {
    RandomStream random(settings.seed, Purpose::score_order, 0);
    for (std::size_t left = order.size(); left > 1; --left) {
      std::swap(order[left - 1], order[random.below(static_cast<std::uint32_t>(left))]);
    }
  }
  return at::tensor(order, at::kLong);
}

/// log p(y) by way of logarithms: a class that is 0 in every image adds 0, not NaN.
double score_of(const at::Tensor& logits) {
  const at::Tensor log_p = at::log_softmax(logits.to(at::kDouble), 1);
  const at::Tensor log_marginal =
      at::logsumexp(log_p, 0, true) - std::log(static_cast<double>(logits.size(0)));
  const at::Tensor divergence = (log_p.exp() * (log_p - log_marginal)).sum(1);
  return std::exp(divergence.mean().item<double>());
}

}  // namespace

MeanDeviation inception_score(const at::Tensor& logits, const InceptionScoreSettings& settings) {
  check(logits, settings.splits);
  const at::Tensor given = logits.cpu();
  const std::int64_t count = given.size(0);
  const at::Tensor order = order_of(settings, count);
  std::vector<double> scores;
  for (std::int64_t i = 0; i < settings.splits; ++i) {
    const at::Tensor images =
        order.slice(0, i * count / settings.splits, (i + 1) * count / settings.splits);
    scores.push_back(score_of(given.index_select(0, images)));
  }
  return mean_deviation(scores);
}

}  // namespace effuse
