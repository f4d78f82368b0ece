#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "shards/manifest.hpp"
#include "shards/pack_plan.hpp"

namespace effuse {

/// The plan's manifest before anything is packed.
Manifest fresh_manifest(const PackPlan& plan);

/// In which settings what was packed there differs from the plan: "pack.image_size is 32 there and
/// 64 here". Empty: in none.
std::string other_settings(const PackPlan& plan, const Manifest& there);

/// How many shards from the first on are in the output folder and have their sizes.
std::size_t whole_shards(const PackPlan& plan, const Manifest& manifest);

/// The complete data set of the plan, all parts of it, that lies in the output folder; nothing
/// where there is no dataset.json. Throws ConfigError where it is of other settings, or not whole
/// (then only packing in one go continues it), DataError where it is of other images.
std::optional<Manifest> whole_data_set(const PackPlan& plan);

/// Where an earlier attempt at the plan's part got to: its whole shards, or none. For one of
/// several parts this is the whole data set where that is complete. Reads only.
///
/// Throws ConfigError where what is there has other settings, or is cut into another number of
/// parts, DataError where it is of other images. With Existing::discard what would be removed may
/// be anything: the same part, or for packing in one go all that is there.
Manifest progress_so_far(const PackPlan& plan);

}  // namespace effuse
