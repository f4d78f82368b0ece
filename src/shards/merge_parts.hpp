#pragma once

#include <cstdint>
#include <string>

#include "shards/manifest.hpp"
#include "shards/pack_plan.hpp"

/// Parts that array jobs packed, become one data set. To be called with wait_for_turn().
namespace effuse {

/// Which of `of` parts keep the data set from being complete, and why, as "part 2/3 has not begun";
/// the first few where there are many. Empty: none does.
std::string unfinished_parts(const PackPlan& plan, std::int64_t of);

/// With nothing unfinished: writes quarantine.csv and dataset.json, as packing in one go does, and
/// then tidy_up(). Killed at any moment it can be done again: parts go only once dataset.json is
/// complete. Throws DataError where more images than allowed, or all, are unreadable; the parts
/// stay.
Manifest merge_parts(const PackPlan& plan, std::int64_t of);

/// Removes the manifests of parts, and what killed jobs left, from a complete data set.
void tidy_up(const PackPlan& plan, const Manifest& complete);

}  // namespace effuse
