#include "data/augment.hpp"

#include <ATen/ATen.h>

namespace effuse {

at::Tensor mirror_images(const at::Tensor& images, const at::Tensor& mirrored) {
  if (!mirrored.defined()) return images;
  return at::where(mirrored.view({-1, 1, 1, 1}), images.flip(2), images);
}

}  // namespace effuse
