#pragma once

#include <filesystem>
#include <memory>

#include "evaluation/image_source.hpp"

namespace effuse {

/// The image files in a folder and below it. Throws DataError as scan_images_below().
std::unique_ptr<ImageSource> open_folder_source(const std::filesystem::path& folder);

}  // namespace effuse
