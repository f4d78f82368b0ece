#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "evaluation/evaluation_input.hpp"
#include "evaluation/feature_pass.hpp"
#include "evaluation/score_plan.hpp"

namespace effuse {

/// What was found out about one side of a comparison.
struct Side {
  std::optional<Moments> moments;  ///< empty where only mu and sigma are known
  Gaussian gaussian;
  std::optional<FeatureOrigin> origin;  ///< empty where a file does not say it
  SharedRows pooled, logits;            ///< as in FeatureSet
};

/// The side that a set of features makes.
Side side_of(FeatureSet features, const FeatureNetwork& network);

/// How a side's features come about.
struct SideTask {
  /// Null where both sides are statistics.
  const FeatureNetwork* network = nullptr;
  PassSettings pass;
  /// Whether the statistics of a packed data set are kept in its folder, and taken from there.
  enum class Cache { none, use } cache = Cache::none;
  /// The folder in which features are kept while they are computed; empty: nowhere.
  std::filesystem::path work_folder{};
};

/// How the reference's come about, for the scores of a plan. `threads`: of this rank.
SideTask reference_task(const EvaluationConfig& config, const ScorePlan& plan,
                        const FeatureNetwork* network, int threads, ProgressStyle progress);

/// Collective. Takes what `input` holds ready, and computes the rest. Empty where a rank was asked
/// to stop. Throws AgreedError where the network is needed and missing, statistics are of another
/// network, or features are wanted (task.pass.keep) of what holds statistics alone.
std::optional<Side> measure_side(const EvaluationInput& input, const SideTask& task,
                                 Communicator& comm, at::Device device);

/// Throws DataError where the features of both are known to be of different networks.
void require_same_network(const Side& images, const Side& reference);

}  // namespace effuse
