#pragma once

#include <ATen/core/Tensor.h>

namespace effuse {

/// `images` [n, H, W, C], of which those where `mirrored` (bool [n]; undefined: none) is true are
/// mirrored left to right, on whatever device both are.
at::Tensor mirror_images(const at::Tensor& images, const at::Tensor& mirrored);

}  // namespace effuse
