#pragma once

#include <filesystem>
#include <vector>

#include "core/error.hpp"
#include "shards/manifest.hpp"
#include "shards/pack_plan.hpp"

/// How many source images may be left out.
namespace effuse {

bool too_many(const PackPlan& plan, const std::vector<UnreadableImage>& unreadable);

/// To be thrown where there are too many; `list` is the file that names them.
DataError too_many_error(const PackPlan& plan, const std::vector<UnreadableImage>& unreadable,
                         const std::filesystem::path& list);

/// To be thrown where no image is left.
DataError none_readable_error(const PackPlan& plan, const std::vector<UnreadableImage>& unreadable);

}  // namespace effuse
