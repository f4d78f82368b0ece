#pragma once

#include <ATen/core/Tensor.h>

namespace effuse {

/// Throws DataError unless both are [N, D] with the same D > 0 and all their numbers are finite.
void require_comparable(const at::Tensor& reference, const at::Tensor& images);

}  // namespace effuse
