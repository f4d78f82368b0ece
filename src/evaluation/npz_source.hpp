#pragma once

#include <filesystem>
#include <memory>

#include "evaluation/image_source.hpp"

namespace effuse {

/// The images of a .npz file as ADM's evaluator reads it: arr_0, uint8 [N, H, W, C], C 1 or 3.
/// Throws DataError where there are none, or where they are not those that were written, which is
/// found by a pass over all of them: about as much again as is read from the disk to score them.
std::unique_ptr<ImageSource> open_npz_source(const std::filesystem::path& file);

}  // namespace effuse
