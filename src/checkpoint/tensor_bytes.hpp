#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <span>

namespace effuse {

/// The elements of a contiguous CPU tensor, to be written to a file.
inline std::span<const std::byte> bytes_of(const at::Tensor& tensor) {
  return {static_cast<const std::byte*>(tensor.const_data_ptr()), tensor.nbytes()};
}

/// The same, to be read into from a file.
inline std::span<std::byte> bytes_to_fill(const at::Tensor& tensor) {
  return {static_cast<std::byte*>(tensor.mutable_data_ptr()), tensor.nbytes()};
}

}  // namespace effuse
