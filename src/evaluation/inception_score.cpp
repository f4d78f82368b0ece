#include "evaluation/inception_score.hpp"

#include <ATen/ATen.h>

#include <numeric>
#include <vector>

#include "core/error.hpp"
#include "core/random.hpp"
#include "core/text.hpp"
#include "evaluation/enough_images.hpp"
#include "evaluation/rank_sum.hpp"

namespace effuse {
namespace {

constexpr std::int64_t kBlockRows = 1024;

void check(const SharedRows& logits, std::int64_t splits) {
  if (splits < 1) {
    throw ConfigError(cat("the Inception Score needs splits (evaluation.splits is ", splits, ")"));
  }
  if (logits.mine.dim() != 2 || logits.columns() == 0) {
    throw DataError(cat("logits of shape ", logits.mine.sizes(), " are not [images, classes]"));
  }
  require_splits(logits.count, splits);
}

std::vector<std::int64_t> order_of(const InceptionScoreSettings& settings, std::int64_t count) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(count));
  std::iota(order.begin(), order.end(), 0);
  if (settings.order == ScoreOrder::shuffled) {
    RandomStream random(settings.seed, Purpose::score_order, 0);
    for (std::size_t left = order.size(); left > 1; --left) {
      std::swap(order[left - 1], order[random.below(static_cast<std::uint32_t>(left))]);
    }
  }
  return order;
}

/// The split of each image, int64 [count].
at::Tensor splits_of(const InceptionScoreSettings& settings, std::int64_t count) {
  const std::vector<std::int64_t> order = order_of(settings, count);
  const at::Tensor splits = at::empty({count}, at::kLong);
  for (std::int64_t split = 0; split < settings.splits; ++split) {
    const std::int64_t end = (split + 1) * count / settings.splits;
    for (std::int64_t i = split * count / settings.splits; i < end; ++i) {
      splits.mutable_data_ptr<std::int64_t>()[order[static_cast<std::size_t>(i)]] = split;
    }
  }
  return splits;
}

/// Sums over the images of each split, float64.
struct SplitSums {
  at::Tensor images;       ///< [splits]
  at::Tensor probability;  ///< [splits, C], of p(y|x)
  at::Tensor negentropy;   ///< [splits], of p(y|x) log p(y|x) over all y
};

/// Of some images. splits: [N]; logits: [N, C].
void add(SplitSums& sums, const at::Tensor& splits, const at::Tensor& logits) {
  const at::Tensor log_p = at::log_softmax(logits.to(at::kDouble), 1);
  const at::Tensor p = log_p.exp();
  sums.images.index_add_(0, splits, at::ones_like(splits, at::kDouble));
  sums.probability.index_add_(0, splits, p);
  sums.negentropy.index_add_(0, splits, (p * log_p).sum(1));
}

/// Collective. Of the images of all ranks.
SplitSums sums_of(const SharedRows& logits, const InceptionScoreSettings& settings,
                  Communicator& comm, at::Device device) {
  const IndexRange own = logits.range(comm);
  const at::Tensor splits = splits_of(settings, logits.count).slice(0, own.first, own.end);
  SplitSums sums{at::zeros({settings.splits}, at::kDouble),
                 at::zeros({settings.splits, logits.columns()}, at::kDouble),
                 at::zeros({settings.splits}, at::kDouble)};
  for (std::int64_t first = 0; first < own.count(); first += kBlockRows) {
    add(sums, splits.slice(0, first, first + kBlockRows),
        logits.mine.slice(0, first, first + kBlockRows));
  }
  for (at::Tensor* sum : {&sums.images, &sums.probability, &sums.negentropy}) {
    *sum = sum_over_ranks(*sum, comm, device);
  }
  return sums;
}

}  // namespace

MeanDeviation inception_score(const SharedRows& logits, const InceptionScoreSettings& settings,
                              Communicator& comm, at::Device device) {
  check(logits, settings.splits);
  const SplitSums sums = sums_of(logits, settings, comm, device);
  // E KL(p(y|x) ‖ p(y)) = E Σ p(y|x) log p(y|x) - Σ p(y) log p(y), and 0 log 0 = 0.
  const at::Tensor marginal = sums.probability / sums.images.unsqueeze(1);
  const at::Tensor divergence =
      sums.negentropy / sums.images - at::xlogy(marginal, marginal).sum(1);
  const at::Tensor scores = divergence.exp();
  return mean_deviation(
      {scores.const_data_ptr<double>(), static_cast<std::size_t>(scores.numel())});
}

}  // namespace effuse
