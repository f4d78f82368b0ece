#include "diffusion/quantise.hpp"

namespace effuse {

at::Tensor to_uint8(const at::Tensor& images) {
  return images.to(at::kFloat)
      .mul(127.5)
      .add_(128.0)
      .clamp_(0, 255)
      .permute({0, 2, 3, 1})
      .to(at::kByte)  // cuts off the fraction
      .contiguous();
}

at::Tensor from_uint8(const at::Tensor& pixels) {
  return pixels.permute({0, 3, 1, 2})
      .to(at::TensorOptions(at::kFloat), /*non_blocking=*/false, /*copy=*/false,
          at::MemoryFormat::Contiguous)
      .div_(127.5)
      .sub_(1.0);
}

}  // namespace effuse
