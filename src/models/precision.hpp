#pragma once

#include <ATen/core/Tensor.h>

#include <string>

namespace effuse {

/// While it lives, convolutions and matrix products of this thread compute in `compute` ("bf16";
/// "fp32" changes nothing): libtorch's autocast, with the casts of the weights cached until the
/// end.
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
