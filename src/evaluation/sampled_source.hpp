#pragma once

#include <filesystem>
#include <memory>

#include "evaluation/image_source.hpp"

namespace effuse {

/// Whether effuse-sample wrote this folder.
bool is_sampled_set(const std::filesystem::path& folder);

/// The images of such a folder, without the grid beside them; a set that is not complete is warned
/// of. Throws DataError for a set of floats, and where there are no images.
std::unique_ptr<ImageSource> open_sampled_source(const std::filesystem::path& folder);

}  // namespace effuse
