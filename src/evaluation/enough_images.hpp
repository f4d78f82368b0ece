#pragma once

#include <cstdint>
#include <optional>

#include "config/config.hpp"
#include "evaluation/score_plan.hpp"

namespace effuse {

/// How many images are to be scored, and against how many; empty where a side has none.
struct ImageCounts {
  std::optional<std::int64_t> images;
  std::optional<std::int64_t> reference;
};

/// Throws DataError, which names metric and setting, where a metric of `plan` needs more images.
void require_enough_images(const ScorePlan& plan, const EvaluationConfig& settings,
                           const ImageCounts& counts);

/// The part of it that is KID's, for one side: `whose` is "images" or "reference images".
void require_subset(std::int64_t count, const char* whose, std::int64_t subset_size);

/// The part of it that is the Inception Score's.
void require_splits(std::int64_t count, std::int64_t splits);

}  // namespace effuse
