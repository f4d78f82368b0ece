#include "diffusion/quantise.hpp"

namespace effuse {

at::Tensor to_uint8(const at::Tensor& images) {
  return images.to(at::kFloat)
      .clamp(-1, 1)
      .mul_(127.5)
      .add_(127.5)
      .round_()
      .permute({0, 2, 3, 1})
      .to(at::kByte)
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
