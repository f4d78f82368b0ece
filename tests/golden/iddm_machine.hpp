#pragma once

#include <ATen/Parallel.h>
#include <ATen/Version.h>

#include <fstream>
#include <string>

namespace effuse::golden {

/// What was recorded from IDDM (golden/iddm) holds the rounding of the machine that computed it: at
/// these weights unet turns a change of its input by 1e-7 into one of its output by 1e-4, and a
/// sampler's steps multiply such factors. On processors of the same kind, with as many threads, the
/// numbers are repeated to the last bit; elsewhere not even PyTorch does.
inline bool rounds_like_the_recording() {
  std::ifstream file("/proc/cpuinfo");
  std::string line;
  bool amd = false;
  while (std::getline(file, line) && !amd) {
    amd = line.starts_with("vendor_id") && line.find("AuthenticAMD") != std::string::npos;
  }
  return amd && at::get_cpu_capability() == "AVX512";
}

/// Threads of the recording.
inline void use_threads_of_the_recording() { at::set_num_threads(2); }

}  // namespace effuse::golden
