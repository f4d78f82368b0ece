#pragma once

#include <cstdint>
#include <string>

namespace effuse {

/// A GPU that this process sees.
struct GpuFacts {
  std::string name;      ///< "NVIDIA H200"
  std::string identity;  ///< its UUID, the same in every process
  std::uint64_t free_bytes = 0;
  std::uint64_t total_bytes = 0;
};

/// How many this process sees; 0 in a build without CUDA.
int gpu_count();

/// The GPU of this number among them. Throws where CUDA cannot use it.
GpuFacts find_gpu(int index);

/// The CUDA runtime that is loaded, "13.0"; empty in a build without CUDA.
std::string cuda_version();

/// The newest CUDA that the driver supports, "13.0", or "none" where there is no driver; empty in a
/// build without CUDA.
std::string cuda_driver_version();

}  // namespace effuse
