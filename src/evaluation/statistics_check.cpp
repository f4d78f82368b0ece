#include "evaluation/statistics_check.hpp"

#include <ATen/ATen.h>

#include <algorithm>

#include "core/error.hpp"
#include "core/text.hpp"

namespace effuse {
namespace {

constexpr double kTolerance = 1e-6;  // float32 is good for 6e-8

/// What float64 loses where a covariance is the small difference of large sums.
constexpr double kCancellation = 1e-10;

double largest(const at::Tensor& values) { return values.abs().max().item<double>(); }

[[noreturn]] void refuse(const std::filesystem::path& file, const std::string& problem) {
  throw DataError(cat(file.string(), ": ", problem, ". ", kRemake));
}

}  // namespace

void require_finite(const at::Tensor& values, const std::filesystem::path& file,
                    const std::string& name) {
  const auto others = values.numel() - at::isfinite(values).sum().item<std::int64_t>();
  if (others == 0) return;
  refuse(file, cat(others, " of ", values.numel(), " numbers of ", name, " are NaN or infinite"));
}

void require_symmetric(const at::Tensor& covariance, const std::filesystem::path& file) {
  const double difference = largest(covariance - covariance.t());
  if (difference <= kTolerance * largest(covariance)) return;
  refuse(file,
         cat("sigma is not symmetric (two numbers that should be one differ by ", difference, ")"));
}

void require_agreement(const Gaussian& gaussian, const Moments& moments,
                       const std::filesystem::path& file) {
  const auto count = static_cast<double>(moments.count());
  const at::Tensor mean = moments.sum() / count;
  const double off = largest(gaussian.mean - mean);
  if (!(off <= kTolerance * largest(mean))) {
    refuse(file, cat("mu is not sum / count (it is off by ", off, ")"));
  }
  if (moments.count() < 2) return;  // which have no covariance
  const at::Tensor covariance = moments.gaussian().covariance;
  const double tolerance =
      kTolerance * largest(covariance) + kCancellation * largest(moments.outer_sum()) / count;
  const double wrong = largest(gaussian.covariance - covariance);
  if (wrong <= tolerance) return;
  refuse(file, cat("sigma is not the unbiased covariance that count, sum and outer_sum give (it is "
                   "off by ",
                   wrong, ")"));
}

}  // namespace effuse
