#pragma once

#include "core/progress.hpp"
#include "shards/manifest.hpp"
#include "shards/pack_plan.hpp"

namespace effuse {

enum class PackEnd { complete, stopped };

/// Packs the rest of the plan's part, from where `manifest` got to, which it brings up to date in
/// memory and on disk; of a part that is all, also quarantine.csv. A stop signal ends it.
/// Throws as pack() does. After an error nothing half-written remains.
PackEnd pack_shards(const PackPlan& plan, Manifest& manifest, ProgressStyle style);

}  // namespace effuse
