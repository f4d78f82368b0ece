#pragma once

#include "preflight/places.hpp"

namespace effuse {

/// One library that this process has loaded, or was compiled with.
struct LibraryVersion {
  std::string name;     ///< "HDF5"
  std::string version;  ///< "1.10.8"; empty: not there
};

/// Effuse, libtorch, MPI, NCCL, HDF5, CUDA and its driver.
std::vector<LibraryVersion> find_versions();

/// Whether all ranks have the same. Another driver is a warning, anything else a failure.
Finding judge_versions(const Places& places,
                       const std::vector<std::vector<LibraryVersion>>& versions);

/// Collective.
Finding check_versions(Communicator& comm, const Places& places);

}  // namespace effuse
