#include "evaluation/frechet.hpp"

#include <ATen/ATen.h>

#include <limits>

#include "core/error.hpp"
#include "core/text.hpp"

namespace effuse {
namespace {

/// A factor F of Σ = F Fᵀ, [D, rank].
at::Tensor factor_of(const at::Tensor& covariance) {
  const auto [values, vectors] = at::linalg_eigh(covariance);
  const double largest = values[-1].item<double>();
  if (!(largest > 0.0)) return at::zeros({covariance.size(0), 0}, at::kDouble);
  const double rounding =
      static_cast<double>(covariance.size(0)) * std::numeric_limits<double>::epsilon() * largest;
  const std::int64_t rank = (values > rounding).sum().item<std::int64_t>();
  const std::int64_t first = values.size(0) - rank;  // they ascend
  return vectors.narrow(1, first, rank) * values.narrow(0, first, rank).sqrt();
}

void require_covariance(const Gaussian& gaussian) {
  if (gaussian.count == 1) {
    throw DataError("1 image has no covariance, which fid compares. Give at least two.");
  }
}

void require_finite(const Gaussian& gaussian) {
  if (gaussian.mean.isfinite().all().item<bool>() &&
      gaussian.covariance.isfinite().all().item<bool>()) {
    return;
  }
  throw DataError("statistics hold values that are not finite (were they made of such features?)");
}

}  // namespace

FrechetDistance frechet_distance(const Gaussian& a, const Gaussian& b) {
  if (a.dimensions() != b.dimensions()) {
    throw DataError(cat("statistics of ", a.dimensions(), " and of ", b.dimensions(),
                        " features cannot be compared: they are of different networks"));
  }
  for (const Gaussian* gaussian : {&a, &b}) {
    require_covariance(*gaussian);
    require_finite(*gaussian);
  }
  const at::Tensor between = at::matmul(factor_of(a.covariance).t(), factor_of(b.covariance));
  const double product_trace =
      between.numel() == 0 ? 0.0 : at::linalg_svdvals(between).sum().item<double>();
  FrechetDistance distance;
  distance.mean = (a.mean - b.mean).square().sum().item<double>();
  distance.spread = a.covariance.trace().item<double>() + b.covariance.trace().item<double>() -
                    2.0 * product_trace;
  distance.value = distance.mean + distance.spread;
  return distance;
}

}  // namespace effuse
