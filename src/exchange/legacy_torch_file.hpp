#pragma once

#include <filesystem>

#include "exchange/torch_storages.hpp"

namespace effuse {

/// Whether the file begins with the magic number of torch.save before 1.6.
bool is_legacy_torch_file(const std::filesystem::path& path);

/// A file of torch.save before 1.6, or of later ones asked for that form: five pickles (magic
/// number, version, machine, the value, the storages' keys), then for each key the number of
/// elements as int64 and the elements. Nothing in it has a checksum; its pickles are read by
/// read_pickle() and every length is held against the file's size. Throws CheckpointError naming
/// the file.
TorchParts open_legacy_torch_file(const std::filesystem::path& path);

}  // namespace effuse
