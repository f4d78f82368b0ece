#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string_view>

namespace effuse {

/// How images become the input of the Inception network, by the tool whose numbers it gives. The
/// tools differ in resampling and in scaling, and by several FID for the same images (Parmar et al.
/// 2022, "On Aliased Resizing").
enum class InputConvention {
  legacy_pytorch,     ///< pytorch-fid: bilinear without antialiasing, 2x / 255 - 1
  legacy_tensorflow,  ///< TensorFlow 1, torch-fidelity: bilinear from corners, (x - 128) / 128
  clean,              ///< clean-fid: PIL's bicubic with antialiasing, in floats, (x - 128) / 128
};

/// Of "legacy-pytorch", "legacy-tensorflow" or "clean". Throws ConfigError for another name.
InputConvention input_convention_named(std::string_view name);

/// The weights with which `from` pixels in a row make `to`, fp32 [to, from]: every resampling in
/// use is linear and separable.
at::Tensor resize_weights(std::int64_t from, std::int64_t to, InputConvention convention);

/// images uint8 [N, H, W, 3] as fp32 [N, 3, size, size], scaled as the convention does.
at::Tensor as_network_input(const at::Tensor& images, std::int64_t size,
                            InputConvention convention);

}  // namespace effuse
