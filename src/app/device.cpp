#include "app/device.hpp"

#include <ATen/Context.h>
#include <sched.h>
#include <torch/cuda.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "models/precision.hpp"

namespace effuse {
namespace {

/// Cores this process may run on: what the scheduler bound it to, not what the host has.
int usable_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof(set), &set) != 0) return 1;
  return CPU_COUNT(&set);
}

int host_cores() { return static_cast<int>(::sysconf(_SC_NPROCESSORS_ONLN)); }

std::string cpu_model() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    if (line.rfind("model name", 0) == 0) return line.substr(line.find(':') + 2);
  }
  return "CPU";
}

/// Of the first one; the GPUs of a node are of one kind.
std::string gpu_model() {
  std::error_code none;
  for (const auto& gpu : std::filesystem::directory_iterator("/proc/driver/nvidia/gpus", none)) {
    std::ifstream info(gpu.path() / "information");
    for (std::string line; std::getline(info, line);) {
      if (line.rfind("Model:", 0) == 0) return line.substr(line.find_first_not_of(" \t", 6));
    }
  }
  return "GPU";
}

}  // namespace

at::Device choose_device(const ParallelConfig& parallel, int local_rank) {
  if (parallel.device == "cpu") return at::kCPU;
  const auto gpus = static_cast<int>(torch::cuda::device_count());
  if (gpus > 0) {
    return {at::kCUDA, static_cast<at::DeviceIndex>(local_rank % gpus)};
  }
  if (parallel.device == "cuda") {
    throw ConfigError(
        "parallel.device is cuda, but no GPU is seen here. Ask Slurm for one (--gpus-per-node), "
        "build with CUDA, or set parallel.device=cpu.");
  }
  return at::kCPU;
}

int choose_threads(const ParallelConfig& parallel, const Session& session) {
  if (parallel.threads > 0) return static_cast<int>(parallel.threads);
  // A launcher that binds each rank has already divided the cores among them.
  const int cores = usable_cores();
  const bool bound = session.local_size() > 1 && cores * session.local_size() <= host_cores();
  return std::max(1, bound ? cores : cores / session.local_size());
}

void configure_kernels(const Config& config, at::Device device) {
  if (!device.is_cuda()) return;
  const bool deterministic = config.run.deterministic;
  at::Context& context = at::globalContext();
  context.setAllowTF32CuDNN(config.precision.tf32);
  context.setAllowTF32CuBLAS(config.precision.tf32);
  context.setBenchmarkCuDNN(!deterministic);
  context.setDeterministicCuDNN(deterministic);
  // What has no deterministic form throws, naming itself.
  context.setDeterministicAlgorithms(deterministic, /*warn_only=*/false);
  context.setDeterministicFillUninitializedMemory(false);
  if (deterministic) {  // attention by plain products, whose backward pass needs no atomics
    context.setSDPUseFlash(false);
    context.setSDPUseMemEfficient(false);
    context.setSDPUseCuDNN(false);
  }
  // cuBLAS is only deterministic with workspaces of its own, and reads this when it starts.
  if (deterministic) ::setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", /*overwrite=*/0);
}

void warn_of_slow_products(const std::string& compute, at::Device device, const char* remedy) {
  if (!computes_slowly(compute, device)) return;
  log::warning("this processor has no instructions for ", compute,
               ": convolutions take many times as long as in fp32. ", remedy);
}

std::string device_name(at::Device device) { return device.is_cpu() ? cpu_model() : gpu_model(); }

}  // namespace effuse
