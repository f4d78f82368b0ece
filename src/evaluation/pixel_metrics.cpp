#include "evaluation/pixel_metrics.hpp"

#include <ATen/ATen.h>

#include <array>
#include <cmath>
#include <limits>

#include "core/error.hpp"
#include "core/text.hpp"
#include "evaluation/block_loop.hpp"

namespace effuse {
namespace {

constexpr double kPeak = 255.0;
constexpr std::int64_t kWindow = 11;
constexpr double kWindowDeviation = 1.5;
constexpr double kC1 = (0.01 * kPeak) * (0.01 * kPeak);
constexpr double kC2 = (0.03 * kPeak) * (0.03 * kPeak);

void check(const at::Tensor& a, const at::Tensor& b, PixelSpace space) {
  if (a.dim() != 4 || a.sizes() != b.sizes() || a.scalar_type() != at::kByte ||
      b.scalar_type() != at::kByte || (a.size(0) > 0 && a[0].numel() == 0)) {
    throw DataError(cat("images of shape ", a.sizes(), " and ", b.sizes(),
                        " cannot be compared pixel by pixel (both have to be uint8 [images, "
                        "height, width, channels], of one shape)"));
  }
  if (space == PixelSpace::luma && a.size(3) != 1 && a.size(3) != 3) {
    throw DataError(
        cat("images of ", a.size(3), " channels have no luma. Compare their channels?"));
  }
}

/// float64 [C, H, W] of the image [H, W, C]; for luma [1, H, W], grey being equal red, green and
/// blue.
at::Tensor planes_of(const at::Tensor& image, PixelSpace space) {
  const at::Tensor planes = image.cpu().permute({2, 0, 1}).to(at::kDouble).contiguous();
  if (space == PixelSpace::channels) return planes;
  if (planes.size(0) == 1) return 219.0 * planes / kPeak + 16.0;
  const at::Tensor y =
      (65.481 * planes[0] + 128.553 * planes[1] + 24.966 * planes[2]) / kPeak + 16.0;
  return y.unsqueeze(0);
}

std::array<double, kWindow> gaussian_window() {
  std::array<double, kWindow> weights{};
  double sum = 0.0;
  for (std::int64_t i = 0; i < kWindow; ++i) {
    const double x = static_cast<double>(i - kWindow / 2) / kWindowDeviation;
    weights[static_cast<std::size_t>(i)] = std::exp(-0.5 * x * x);
    sum += weights[static_cast<std::size_t>(i)];
  }
  for (double& weight : weights) weight /= sum;
  return weights;
}

/// Adds the weighted sum of the 11 numbers from each on, `stride` apart, to `out`.
void add_weighted(const double* from, std::int64_t stride, double* out, std::int64_t places) {
  static const std::array<double, kWindow> kWeights = gaussian_window();
  for (std::int64_t k = 0; k < kWindow; ++k) {
    const double weight = kWeights[static_cast<std::size_t>(k)];
    const double* number = from + k * stride;
    for (std::int64_t i = 0; i < places; ++i) out[i] += weight * number[i];
  }
}

/// Weighted means [H - 10, W - 10] over the windows that lie within x, contiguous [H, W].
at::Tensor smooth(const at::Tensor& x) {
  const std::int64_t width = x.size(1);
  const std::int64_t places = width - kWindow + 1;
  at::Tensor means = at::zeros({x.size(0) - kWindow + 1, places}, x.options());
  const double* in = x.const_data_ptr<double>();
  double* out = means.mutable_data_ptr<double>();
  for_each_block(means.size(0), [&](std::int64_t row) {
    std::vector<double> column_means(static_cast<std::size_t>(width), 0.0);
    add_weighted(in + row * width, width, column_means.data(), width);
    add_weighted(column_means.data(), 1, out + row * places, places);
  });
  return means;
}

/// Of one channel.
double ssim_of(const at::Tensor& a, const at::Tensor& b) {
  const at::Tensor mean_a = smooth(a);
  const at::Tensor mean_b = smooth(b);
  const at::Tensor variances = smooth(a * a) - mean_a * mean_a + (smooth(b * b) - mean_b * mean_b);
  const at::Tensor covariance = smooth(a * b) - mean_a * mean_b;
  const at::Tensor likeness = (2.0 * mean_a * mean_b + kC1) * (2.0 * covariance + kC2) /
                              ((mean_a * mean_a + mean_b * mean_b + kC1) * (variances + kC2));
  return likeness.mean().item<double>();
}

}  // namespace

std::vector<double> psnr_db(const at::Tensor& a, const at::Tensor& b, PixelSpace space) {
  check(a, b, space);
  std::vector<double> values;
  for (std::int64_t i = 0; i < a.size(0); ++i) {
    const at::Tensor difference = planes_of(a[i], space) - planes_of(b[i], space);
    const double mse = difference.square().mean().item<double>();
    values.push_back(mse == 0.0 ? std::numeric_limits<double>::infinity()
                                : 10.0 * std::log10(kPeak * kPeak / mse));
  }
  return values;
}

std::vector<double> ssim(const at::Tensor& a, const at::Tensor& b, PixelSpace space) {
  check(a, b, space);
  if (a.size(1) < kWindow || a.size(2) < kWindow) {
    throw DataError(cat("images of ", a.size(1), "x", a.size(2),
                        " (height x width) are smaller than the window of SSIM, ", kWindow, "x",
                        kWindow, ". Leave SSIM out?"));
  }
  std::vector<double> values;
  for (std::int64_t i = 0; i < a.size(0); ++i) {
    const at::Tensor ours = planes_of(a[i], space);
    const at::Tensor theirs = planes_of(b[i], space);
    double sum = 0.0;
    for (std::int64_t c = 0; c < ours.size(0); ++c) sum += ssim_of(ours[c], theirs[c]);
    values.push_back(sum / static_cast<double>(ours.size(0)));
  }
  return values;
}

PsnrMean mean_psnr(std::span<const double> psnr_db) {
  PsnrMean result;
  double sum = 0.0;
  for (const double value : psnr_db) {
    if (std::isinf(value)) {
      ++result.equal_pairs;
    } else {
      sum += value;
    }
  }
  const std::int64_t others = static_cast<std::int64_t>(psnr_db.size()) - result.equal_pairs;
  result.mean_db =
      others == 0 ? std::numeric_limits<double>::infinity() : sum / static_cast<double>(others);
  return result;
}

}  // namespace effuse
