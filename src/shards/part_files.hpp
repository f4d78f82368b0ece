#pragma once

#include <filesystem>
#include <vector>

#include "core/part.hpp"

/// Files by which array jobs that pack parts of one data set know of each other. Names hold number
/// and count in five digits or more: part-00002-of-00003.json.
namespace effuse {

/// The manifest of a part while the data set is not complete; dataset.json where the part is all.
std::filesystem::path part_manifest_path(const std::filesystem::path& dataset, const Part& part);

/// Locked by the process that packs the part.
std::filesystem::path part_lock_path(const std::filesystem::path& dataset, const Part& part);

/// The parts of which manifests lie in the folder, by count and number; none where there is no
/// folder.
std::vector<Part> parts_in(const std::filesystem::path& dataset);

/// The same, of which lock files do, whether they are locked or not.
std::vector<Part> locked_parts_in(const std::filesystem::path& dataset);

}  // namespace effuse
