#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <vector>

/// Features and images as make_feature_metrics.py makes them, to the bit.
namespace effuse::feature_sets {

/// 16-bit integers, an exact function of their place.
inline std::vector<std::int64_t> hashed(std::int64_t count, std::uint32_t seed) {
  std::vector<std::int64_t> numbers;
  for (std::int64_t i = 1; i <= count; ++i) {
    std::uint32_t h = static_cast<std::uint32_t>(i) * 2654435761U + seed * 40503U;
    h ^= h >> 15;
    h *= 2246822519U;
    h ^= h >> 13;
    h *= 3266489917U;
    numbers.push_back(h >> 16);
  }
  return numbers;
}

inline at::Tensor features(std::int64_t n, std::int64_t d, std::uint32_t seed, double scale = 1.0,
                           double shift = 0.0) {
  const at::Tensor numbers = at::tensor(hashed(n * d, seed), at::kDouble).view({n, d});
  return (numbers / 65536.0 * scale + shift).to(at::kFloat);
}

/// The sets that the golden numbers compare.
inline at::Tensor real() { return features(300, 16, 1); }
inline at::Tensor made() { return features(260, 16, 2, 0.875, 0.1875); }

/// A ramp with noise of 0 to `noise` - 1, uint8 [n, h, w, c].
inline at::Tensor images(std::int64_t n, std::int64_t h, std::int64_t w, std::int64_t c,
                         std::uint32_t seed, std::int64_t noise) {
  const auto along = [](std::int64_t size, at::IntArrayRef shape) {
    return at::arange(size, at::kLong).view(shape);
  };
  const at::Tensor ramp = (3 * along(w, {1, 1, w, 1}) + 5 * along(h, {1, h, 1, 1}) +
                           40 * along(c, {1, 1, 1, c}) + 20 * along(n, {n, 1, 1, 1}))
                              .remainder(200);
  const at::Tensor added = at::tensor(hashed(n * h * w * c, seed), at::kLong).view({n, h, w, c});
  return (ramp + added.remainder(noise)).to(at::kByte);
}

}  // namespace effuse::feature_sets
