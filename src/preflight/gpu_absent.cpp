#include "core/error.hpp"
#include "preflight/gpu.hpp"

namespace effuse {

int gpu_count() { return 0; }

GpuFacts find_gpu(int) {
  throw ConfigError("this build knows no GPUs (it was configured without CUDA)");
}

std::string cuda_version() { return {}; }

std::string cuda_driver_version() { return {}; }

}  // namespace effuse
