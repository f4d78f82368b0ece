#include "preflight/gpu.hpp"

#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAGuard.h>

#include <iomanip>
#include <sstream>

#include "core/text.hpp"

namespace effuse {
namespace {

/// 13000 as "13.0".
std::string decimal(int version) { return cat(version / 1000, ".", version % 1000 / 10); }

std::string text_of(const cudaUUID_t& uuid) {
  std::ostringstream text;
  text << std::hex << std::setfill('0');
  for (const char byte : uuid.bytes) {
    text << std::setw(2) << static_cast<int>(static_cast<unsigned char>(byte));
  }
  return std::move(text).str();
}

}  // namespace

int gpu_count() { return static_cast<int>(c10::cuda::device_count()); }

GpuFacts find_gpu(int index) {
  const c10::cuda::CUDAGuard guard(static_cast<c10::DeviceIndex>(index));
  cudaDeviceProp properties{};
  C10_CUDA_CHECK(cudaGetDeviceProperties(&properties, index));
  std::size_t free = 0, total = 0;
  C10_CUDA_CHECK(cudaMemGetInfo(&free, &total));
  return {properties.name, text_of(properties.uuid), free, total};
}

std::string cuda_version() {
  int version = 0;
  return cudaRuntimeGetVersion(&version) == cudaSuccess ? decimal(version) : "unknown";
}

std::string cuda_driver_version() {
  int version = 0;
  return cudaDriverGetVersion(&version) == cudaSuccess && version > 0 ? decimal(version) : "none";
}

}  // namespace effuse
