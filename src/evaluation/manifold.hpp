#pragma once

#include <cstdint>

#include "comm/communicator.hpp"
#include "evaluation/shared_rows.hpp"

namespace effuse {

struct ManifoldSettings {
  std::int64_t neighbours = 3;          ///< k of precision and recall
  std::int64_t density_neighbours = 5;  ///< k of density and coverage
};

/// How two sets of images cover each other. A ball is that around an image which reaches to its
/// k-th nearest neighbour in its own set.
struct ManifoldScores {
  double precision = 0.0;  ///< share of the images within a ball of the reference, edge included
  double recall = 0.0;     ///< share of the reference within a ball of the images, edge included
  double density = 0.0;   ///< balls of the reference that an image is inside of, on average, over k
  double coverage = 0.0;  ///< share of the balls of the reference that an image is inside of
};

/// Precision and recall: Kynkäänniemi et al. 2019, "Improved Precision and Recall Metric for
/// Assessing Generative Models", equations 1 and 2. Density and coverage: Naeem et al. 2020,
/// "Reliable Fidelity and Diversity Metrics for Generative Models", equations 2 and 3, where the
/// edge of a ball is outside, as in their program.
///
/// Collective. reference: fp32 [N, D], images: fp32 [M, D], finite; `device` is where the
/// communicator works. The same bits at any number of ranks and threads. For sets that
/// require_enough_images() takes: what needs a neighbour that is not there means nothing. Throws
/// DataError where the features are not comparable; ConfigError for fewer than 1 neighbour.
ManifoldScores manifold_scores(const SharedRows& reference, const SharedRows& images,
                               const ManifoldSettings& settings, Communicator& comm,
                               at::Device device);

}  // namespace effuse
