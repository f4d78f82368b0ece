#pragma once

#include <ATen/core/Tensor.h>

#include <string>

#include "comm/session.hpp"
#include "config/config.hpp"

namespace effuse {

/// The device of this rank: parallel.device, a GPU being chosen by local rank modulo the visible
/// ones. Throws ConfigError where a GPU is asked for and there is none.
at::Device choose_device(const ParallelConfig& parallel, int local_rank);

/// Compute threads of this rank: parallel.threads, or the host's cores over its ranks.
int choose_threads(const ParallelConfig& parallel, const Session& session);

/// Tells libtorch how to compute: TF32, and whether only with what gives the same bits each time.
/// Before anything is computed on a GPU.
void configure_kernels(const Config& config, at::Device device);

/// Says, where it is so, that this processor computes in `compute` (a name of precision.compute)
/// many times more slowly than in fp32. `remedy`: what to do, a sentence.
void warn_of_slow_products(const std::string& compute, at::Device device, const char* remedy);

/// "NVIDIA H200", or the CPU's model name.
std::string device_name(at::Device device);

}  // namespace effuse
