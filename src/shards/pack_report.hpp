#pragma once

#include <string>

#include "core/error.hpp"
#include "shards/manifest.hpp"
#include "shards/pack_plan.hpp"
#include "shards/packer.hpp"

namespace effuse {

/// "1,234 images".
std::string counted(const Manifest& manifest);

/// Logs for people what came of packing, and returns the exit code that says it.
ExitCode report(const PackPlan& plan, const PackOutcome& outcome);

}  // namespace effuse
