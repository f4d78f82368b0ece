#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "comm/communicator.hpp"
#include "config/config.hpp"
#include "evaluation/feature_network.hpp"
#include "evaluation/score_plan.hpp"
#include "evaluation/side.hpp"

namespace effuse {

/// Scores sets of generated images against one reference, which is measured once.
class Scorer {
 public:
  /// Collective. Loads the network and opens the reference, of `config`, which stays as it is;
  /// config.number images are going to be scored. Throws AgreedError for what contradicts itself or
  /// cannot be read, and where a metric needs more images; psnr and ssim need pairs and are
  /// refused.
  Scorer(const EvaluationConfig& config, Communicator& comm, at::Device device, int threads);

  /// Collective. False where a rank was asked to stop.
  bool measure_reference(ProgressStyle progress);

  /// Collective. After measure_reference(): {"fid": {"value": …}, …}.
  nlohmann::ordered_json score(const Side& images);

  /// What of the images score() needs.
  Keep keep_of_images() const;

  const FeatureNetwork& network() const { return *network_; }
  const Side& reference() const { return *reference_; }
  const EvaluationConfig& config() const { return config_; }

 private:
  EvaluationConfig config_;
  Communicator& comm_;
  at::Device device_;
  int threads_;
  ScorePlan plan_;
  std::unique_ptr<FeatureNetwork> network_;
  EvaluationInput input_;
  std::optional<Side> reference_;
};

/// What Scorer's constructor would refuse, found by one process. Throws Error.
void check_scorer(const EvaluationConfig& config);

}  // namespace effuse
