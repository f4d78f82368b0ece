#include "evaluation/moments.hpp"

#include <ATen/ATen.h>

#include <utility>

#include "core/error.hpp"
#include "core/text.hpp"
#include "evaluation/rank_sum.hpp"

namespace effuse {

Moments::Moments(std::int64_t dimensions)
    : sum_(at::zeros({dimensions}, at::kDouble)),
      outer_sum_(at::zeros({dimensions, dimensions}, at::kDouble)) {}

Moments::Moments(std::int64_t count, at::Tensor sum, at::Tensor outer_sum)
    : count_(count), sum_(std::move(sum)), outer_sum_(std::move(outer_sum)) {}

void Moments::add(const at::Tensor& features) {
  const at::Tensor f = features.to(at::kCPU, at::kDouble);
  count_ += f.size(0);
  sum_ += f.sum(0);
  outer_sum_.addmm_(f.t(), f);
}

void Moments::add(const Moments& part) {
  if (part.dimensions() != dimensions()) {
    throw DataError(cat("statistics of ", part.dimensions(),
                        " features cannot be added to those of ", dimensions(),
                        ": they are of another network"));
  }
  count_ += part.count_;
  sum_ = sum_ + part.sum_;
  outer_sum_ = outer_sum_ + part.outer_sum_;
}

void Moments::reduce(Communicator& comm, at::Device device) {
  count_ = sum_over_ranks(at::tensor({count_}, at::kLong), comm, device).item<std::int64_t>();
  sum_ = sum_over_ranks(sum_, comm, device);
  outer_sum_ = sum_over_ranks(outer_sum_, comm, device);
}

Gaussian Moments::gaussian() const {
  if (count_ < 1) throw DataError("no images have no mean. Give some.");
  const auto n = static_cast<double>(count_);
  const at::Tensor mean = sum_ / n;
  if (count_ == 1) return {mean, at::zeros_like(outer_sum_), count_};
  const at::Tensor covariance = (outer_sum_ - at::outer(mean, sum_)) / (n - 1.0);
  return {mean, (covariance + covariance.t()) / 2.0, count_};
}

}  // namespace effuse
