#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <vector>

/// How alike pairs of images are, pixel by pixel. Images are uint8 [N, H, W, C], of one shape on
/// both sides; every function throws DataError where they are not.
namespace effuse {

/// What is compared.
enum class PixelSpace {
  channels,  ///< every channel as it is
  /// Y of BT.601, 16 + (65.481 R + 128.553 G + 24.966 B) / 255, as super-resolution is scored: in
  /// float64, not rounded, the peak still 255 (as BasicSR; MATLAB's rgb2ycbcr rounds). A single
  /// channel is red, green and blue alike; images of 2 or more than 3 have none.
  luma,
};

/// The peak signal-to-noise ratio of each pair, in dB: 10 log10(255² / MSE), MSE the mean over all
/// pixels and channels. Infinite for equal images.
std::vector<double> psnr_db(const at::Tensor& a, const at::Tensor& b, PixelSpace space);

/// The structural similarity of each pair (Wang et al. 2004, "Image Quality Assessment: From Error
/// Visibility to Structural Similarity", equation 13): windows of 11 x 11, Gaussian of deviation
/// 1.5, K1 = 0.01, K2 = 0.03, L = 255, variances divided by the whole weight, means over the
/// windows that lie within the image, then over channels. As the authors' program, and as
/// scikit-image's with gaussian_weights=True, use_sample_covariance=False. Also throws DataError
/// for images smaller than the window.
std::vector<double> ssim(const at::Tensor& a, const at::Tensor& b, PixelSpace space);

/// The mean of pairs that differ: one equal pair would make any mean infinite. How many were equal
/// is to be told beside it.
struct PsnrMean {
  double mean_db = 0.0;  ///< infinite where all pairs are equal, or there are none
  std::int64_t equal_pairs = 0;
};

PsnrMean mean_psnr(std::span<const double> psnr_db);

}  // namespace effuse
