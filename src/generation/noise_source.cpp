#include "generation/noise_source.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "core/error.hpp"
#include "core/text.hpp"
#include "diffusion/draws.hpp"

namespace effuse {

at::Tensor SeededNoise::initial(std::span<const std::int64_t> images,
                                at::IntArrayRef image_shape) const {
  return initial_noise(seed_, images, image_shape);
}

at::Tensor SeededNoise::step(std::span<const std::int64_t> images, at::IntArrayRef image_shape,
                             std::int64_t step) const {
  return step_noise(seed_, images, image_shape, step);
}

GivenNoise::GivenNoise(at::Tensor initial, at::Tensor steps)
    : initial_(std::move(initial)), steps_(std::move(steps)) {
  if (initial_.dim() != 4 || initial_.numel() == 0 || !initial_.is_floating_point()) {
    throw ConfigError(cat("the noise has shape ", initial_.sizes(), " and type ",
                          initial_.scalar_type(), "; it must be [N, C, H, W] of floats"));
  }
  if (!steps_.defined()) return;
  if (steps_.dim() != 5 || steps_.sizes().slice(1) != initial_.sizes() ||
      !steps_.is_floating_point()) {
    throw ConfigError(cat("the noise of the steps has shape ", steps_.sizes(), " and type ",
                          steps_.scalar_type(), "; it must be [steps, N, C, H, W] with the ",
                          initial_.sizes(), " of the starting noise"));
  }
}

at::Tensor GivenNoise::rows(const at::Tensor& tensor, std::span<const std::int64_t> images) const {
  std::vector<std::int64_t> wanted;
  for (const std::int64_t image : images) wanted.push_back(std::min(image, this->images() - 1));
  return tensor.index_select(0, at::tensor(wanted, at::kLong)).to(at::kFloat);
}

at::Tensor GivenNoise::initial(std::span<const std::int64_t> images, at::IntArrayRef) const {
  return rows(initial_, images);
}

at::Tensor GivenNoise::step(std::span<const std::int64_t> images, at::IntArrayRef,
                            std::int64_t step) const {
  return rows(steps_.select(0, step), images);
}

}  // namespace effuse
