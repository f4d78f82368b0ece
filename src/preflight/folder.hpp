#pragma once

#include <filesystem>

#include "preflight/places.hpp"

namespace effuse {

/// The folder of the runs as one rank sees it.
struct FolderFacts {
  std::string error;
  std::string tried;       ///< the folder, or the one it will be made in
  bool sees_mark = false;  ///< what rank 0 wrote there can be read here
};

/// `folder` itself, or where it is not there the nearest above it that is. Throws ConfigError where
/// that is no folder, so that it cannot be made.
std::filesystem::path nearest_folder(const std::filesystem::path& folder);

/// Whether `folder` is or can be made, and is one and the same at all ranks.
Finding judge_folder(const Places& places, const std::string& folder,
                     const std::vector<FolderFacts>& facts);

/// Collective. Rank 0 writes a file that all others look for; it is gone afterwards.
Finding check_folder(Communicator& comm, const Places& places, const std::string& folder);

}  // namespace effuse
