#pragma once

#include <ATen/core/Tensor.h>

#include "config/config.hpp"

namespace effuse {

/// Floating-point operations a second that the device can do at most in dense products of
/// precision.compute: metrics.peak_tflops, or what the vendor's data sheet says of the GPU; 0 where
/// neither is known, as of CPUs.
double peak_flops_per_s(const Config& config, at::Device device);

}  // namespace effuse
