#pragma once

#include <nlohmann/json_fwd.hpp>

#include "comm/communicator.hpp"
#include "config/config.hpp"
#include "evaluation/score_plan.hpp"
#include "evaluation/side.hpp"

namespace effuse {

/// Collective. The scores of `plan` that rest on features, each an object with "value" and what it
/// was computed with: {"fid": {"value": …}, "kid": {"value": …, "deviation": …}, …}. `reference` is
/// null where there is none. For sets as require_enough_images() wants them, and where the
/// Inception Score is asked for, of a network that classifies.
nlohmann::ordered_json score_features(const ScorePlan& plan, const Side& images,
                                      const Side* reference, const EvaluationConfig& settings,
                                      Communicator& comm, at::Device device);

}  // namespace effuse
