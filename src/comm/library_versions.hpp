#pragma once

#include <string>

namespace effuse {

/// The MPI library that is loaded, in its own words: "Open MPI v4.1.4". May be called before MPI is
/// started, and where it never is.
std::string mpi_version();

/// The NCCL library that is loaded: "2.28.9". Empty in a build without CUDA.
std::string nccl_version();

}  // namespace effuse
