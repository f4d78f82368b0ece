#pragma once

#include "hdf5/dataset.hpp"
#include "hdf5/handle.hpp"

namespace effuse::hdf5 {

/// HDF5's type for an element as it lies in files (little-endian) and in memory.
Handle::Id file_type(Element element);
Handle::Id memory_type(Element element);
const char* name_of(Element element);

/// Strings of any length in UTF-8.
Handle string_type();

}  // namespace effuse::hdf5
