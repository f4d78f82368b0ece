#pragma once

#include <ATen/core/Tensor.h>

namespace effuse {

/// Twice the height and width, bilinear with aligned corners. x: [N, C, H, W] to [N, C, 2H, 2W].
///
/// libtorch's backward pass of this adds up with atomics on GPUs, in no fixed order. Where only
/// deterministic algorithms are allowed there, it is two products with the matrices of the
/// interpolation instead, which are equal up to rounding.
at::Tensor upsample_bilinear(const at::Tensor& x);

/// By those products, on any device.
at::Tensor upsample_bilinear_by_products(const at::Tensor& x);

}  // namespace effuse
