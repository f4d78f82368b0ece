#pragma once

#include <filesystem>
#include <memory>

#include "evaluation/feature_network.hpp"

namespace effuse {

/// A module of TorchScript that maps uint8 [N, 3, H, W], the images as they are, to [N, D] floats:
/// it resizes and scales them itself, as NVIDIA's detector files do. Runs a program from the file:
/// only for files that one trusts. Throws DataError where the file cannot be loaded, or where it
/// fails or returns another shape on two black images of 64 x 64.
std::unique_ptr<FeatureNetwork> load_torchscript_network(const std::filesystem::path& file,
                                                         at::Device device);

}  // namespace effuse
