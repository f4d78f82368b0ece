#pragma once

#include <filesystem>

#include "exchange/torch_storages.hpp"

namespace effuse {

/// A file of torch.save since 1.6: a zip file with data.pkl and the storages data/<key>. Throws
/// CheckpointError naming the file.
TorchParts open_torch_archive(const std::filesystem::path& path);

}  // namespace effuse
