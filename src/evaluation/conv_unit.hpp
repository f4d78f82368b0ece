#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <vector>

namespace effuse {

/// Convolution, batch normalisation in evaluation mode, ReLU: one pass over the data, the
/// normalisation being part of the convolution's weights. For prediction only.
class ConvUnit {
 public:
  struct Geometry {
    std::array<std::int64_t, 2> padding{0, 0};
    std::array<std::int64_t, 2> stride{1, 1};
  };

  /// What a batch normalisation has learned, [C] each.
  struct Norm {
    at::Tensor weight, bias, mean, variance;
    double epsilon = 1e-3;
  };

  /// weight: [C, C_in, kH, kW].
  ConvUnit(const at::Tensor& weight, const Norm& norm, const Geometry& geometry, at::Device device);

  /// x: fp32 [N, C_in, H, W] on the device. One thread at a time.
  at::Tensor operator()(const at::Tensor& x) const;

 private:
  at::Tensor fused_on_cpu(const at::Tensor& x) const;

  Geometry geometry_;
  at::Tensor weight_, bias_;
  mutable at::Tensor packed_;  ///< weight_ in oneDNN's order for inputs of packed_shape_
  mutable std::vector<std::int64_t> packed_shape_;
};

}  // namespace effuse
