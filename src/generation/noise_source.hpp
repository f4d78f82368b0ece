#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>

namespace effuse {

/// Where the noise of a sampling comes from, by image.
class NoiseSource {
 public:
  virtual ~NoiseSource() = default;

  /// x at the first time step: [N, C, H, W] fp32 on the CPU; image_shape: {C, H, W}.
  virtual at::Tensor initial(std::span<const std::int64_t> images,
                             at::IntArrayRef image_shape) const = 0;

  /// What is added after step `step` (0, 1 …) of the sampler, as initial().
  virtual at::Tensor step(std::span<const std::int64_t> images, at::IntArrayRef image_shape,
                          std::int64_t step) const = 0;
};

/// Drawn from a seed: a pure function of seed and image number.
class SeededNoise : public NoiseSource {
 public:
  explicit SeededNoise(std::uint64_t seed) : seed_(seed) {}

  at::Tensor initial(std::span<const std::int64_t> images,
                     at::IntArrayRef image_shape) const override;
  at::Tensor step(std::span<const std::int64_t> images, at::IntArrayRef image_shape,
                  std::int64_t step) const override;

 private:
  std::uint64_t seed_;
};

/// Given, to repeat the result of another program.
class GivenNoise : public NoiseSource {
 public:
  /// initial: [N, C, H, W]; steps: [S, N, C, H, W], or undefined where the sampler adds none.
  GivenNoise(at::Tensor initial, at::Tensor steps);

  /// N.
  std::int64_t images() const { return initial_.size(0); }

  /// S; 0 without.
  std::int64_t steps() const { return steps_.defined() ? steps_.size(0) : 0; }

  at::IntArrayRef image_shape() const { return initial_.sizes().slice(1); }

  /// Images beyond the last, which pad a tile, get the noise of the last.
  at::Tensor initial(std::span<const std::int64_t> images,
                     at::IntArrayRef image_shape) const override;
  at::Tensor step(std::span<const std::int64_t> images, at::IntArrayRef image_shape,
                  std::int64_t step) const override;

 private:
  at::Tensor rows(const at::Tensor& tensor, std::span<const std::int64_t> images) const;

  at::Tensor initial_, steps_;
};

}  // namespace effuse
