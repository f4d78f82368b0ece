#pragma once

#include <string>

namespace effuse::hdf5 {

/// Of the HDF5 library that is loaded: "1.10.8".
std::string version();

}  // namespace effuse::hdf5
