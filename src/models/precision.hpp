#pragma once

#include <ATen/core/Tensor.h>

#include <string>

#include "config/config.hpp"

namespace effuse {

/// The type of a name of precision.compute: "fp32", "bf16" or "fp16".
at::ScalarType compute_type(const std::string& compute);

/// The type in which the network holds its weights in training: fp32, or the compute type where
/// precision.weights is "compute".
at::ScalarType weight_type(const PrecisionConfig& config);

/// What autocast is to compute in: precision.compute, or "fp32", which is none, where the weights
/// are of the compute type themselves.
std::string autocast_compute(const PrecisionConfig& config);

/// Whether convolutions and matrix products of this type take many times as long as in fp32, since
/// the processor has no instructions for them.
bool computes_slowly(const std::string& compute, at::Device device);

/// How images lie in memory: precision.layout, of which auto is channels_last on GPUs, where tensor
/// cores want it, and in fp32 on CPUs; in bf16 and fp16 there, contiguous (docs/performance.md).
at::MemoryFormat memory_format(const PrecisionConfig& config, at::Device device);

/// While it lives, convolutions and matrix products of this thread compute in `compute` ("bf16" or
/// "fp16"; "fp32" changes nothing): libtorch's autocast, with the casts of the weights cached until
/// the end.
class ComputePrecision {
 public:
  ComputePrecision(const std::string& compute, at::Device device);
  ~ComputePrecision();
  ComputePrecision(const ComputePrecision&) = delete;
  ComputePrecision& operator=(const ComputePrecision&) = delete;

 private:
  at::DeviceType device_;
  bool enabled_;
  bool was_enabled_ = false;
};

}  // namespace effuse
