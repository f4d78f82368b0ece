#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>

/// The random numbers of training and sampling, drawn per image by position: equal however images
/// are spread over ranks and micro-batches.
namespace effuse {

/// What a training step draws for a batch.
struct TrainingDraws {
  at::Tensor t;       ///< [N] int64, uniform over 0 … T-1
  at::Tensor noise;   ///< [N, C, H, W] fp32, standard normal
  at::Tensor labels;  ///< [N] int64, some replaced by the null class; undefined without labels
};

struct TrainingDrawSettings {
  std::uint64_t seed = 0;
  std::int64_t timesteps = 1000;  ///< T
  double label_drop = 0.0;        ///< probability, per image, of the null class
  std::int64_t null_class = -1;   ///< -1: labels are never dropped
  at::Device device = at::kCPU;   ///< where the results go
};

/// `positions`: for each image the number of images seen before it; image_shape: {C, H, W};
/// labels: [N] int64, or undefined. Throws ConfigError where labels are to be dropped but there is
/// no null class, or where labels and positions differ in number.
TrainingDraws draw_for_training(const TrainingDrawSettings& settings,
                                std::span<const std::int64_t> positions,
                                at::IntArrayRef image_shape, const at::Tensor& labels);

/// x_T: [N, C, H, W] fp32 on the CPU, standard normal, drawn by image index.
at::Tensor initial_noise(std::uint64_t seed, std::span<const std::int64_t> image_indices,
                         at::IntArrayRef image_shape);

/// The noise added after step `step` (0, 1 …) of a sampler: as initial_noise.
at::Tensor step_noise(std::uint64_t seed, std::span<const std::int64_t> image_indices,
                      at::IntArrayRef image_shape, std::int64_t step);

}  // namespace effuse
