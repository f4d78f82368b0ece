#pragma once

#include <ATen/core/Tensor.h>

namespace effuse {

/// [N, C, H, W] of any float type, [-1, 1], to [N, H, W, C] uint8 contiguous: x · 127.5 + 127.5,
/// rounded to the nearest level (halves up, as EDM and ADM's sampler do it), clamped. Values
/// outside never wrap.
at::Tensor to_uint8(const at::Tensor& images);

/// [N, H, W, C] uint8 to [N, C, H, W] fp32 contiguous in [-1, 1]: 0 is -1, 255 is 1.
at::Tensor from_uint8(const at::Tensor& pixels);

}  // namespace effuse
