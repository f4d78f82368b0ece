#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "comm/communicator.hpp"

namespace effuse {

/// A Gaussian fitted to features.
struct Gaussian {
  at::Tensor mean;         ///< float64 [D]
  at::Tensor covariance;   ///< float64 [D, D], unbiased (divided by N - 1)
  std::int64_t count = 0;  ///< N; 0 where it is not known

  std::int64_t dimensions() const { return mean.size(0); }
};

/// First and second moments of features, summed in float64, so that the sums of parts can be added.
class Moments {
 public:
  explicit Moments(std::int64_t dimensions);

  /// Of parts computed before: sum [D] and outer_sum [D, D], float64.
  Moments(std::int64_t count, at::Tensor sum, at::Tensor outer_sum);

  /// features: [N, D] of any float type and device.
  void add(const at::Tensor& features);
  void add(const Moments& part);

  /// Collective. Of all ranks' features together, at every rank.
  void reduce(Communicator& comm, at::Device device);

  std::int64_t count() const { return count_; }
  std::int64_t dimensions() const { return sum_.size(0); }
  const at::Tensor& sum() const { return sum_; }              ///< Σ f
  const at::Tensor& outer_sum() const { return outer_sum_; }  ///< Σ f fᵀ

  /// Of one image with a covariance of 0. Throws DataError for none.
  Gaussian gaussian() const;

 private:
  std::int64_t count_ = 0;
  at::Tensor sum_, outer_sum_;  // on the CPU
};

}  // namespace effuse
