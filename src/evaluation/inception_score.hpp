#pragma once

#include <cstdint>

#include "comm/communicator.hpp"
#include "evaluation/mean_deviation.hpp"
#include "evaluation/shared_rows.hpp"

namespace effuse {

enum class ScoreOrder {
  shuffled,  ///< generated sets go through the classes in order: splits would see few of them
  as_given,
};

struct InceptionScoreSettings {
  std::int64_t splits = 10;
  std::uint64_t seed = 0;
  ScoreOrder order = ScoreOrder::shuffled;
};

/// The Inception Score (Salimans et al. 2016, "Improved Techniques for Training GANs", section 4):
/// exp E_x KL(p(y|x) ‖ p(y)), its mean and deviation over splits; split i is images i N / splits to
/// (i + 1) N / splits of an order that depends on the seed alone. torch-fidelity shuffles too, by
/// other random numbers, so that both agree to the scatter of splits.
///
/// Collective. logits: [N, C] of any float type, finite; softmax and sums in float64, which add up
/// in another order at another number of ranks: equal to some 1e-14. Throws DataError for fewer
/// images than splits, ConfigError for no splits.
MeanDeviation inception_score(const SharedRows& logits, const InceptionScoreSettings& settings,
                              Communicator& comm, at::Device device);

}  // namespace effuse
