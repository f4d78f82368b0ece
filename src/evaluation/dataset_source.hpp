#pragma once

#include <filesystem>
#include <memory>

#include "evaluation/image_source.hpp"

namespace effuse {

/// The images of a packed data set. Throws DataError as ShardedDataset::open().
std::unique_ptr<ImageSource> open_dataset_source(const std::filesystem::path& folder);

}  // namespace effuse
