#include "evaluation/pixel_metrics.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/error.hpp"
#include "feature_sets.hpp"
#include "golden/golden.hpp"
#include "support/error_message.hpp"

namespace effuse {
namespace {

using feature_sets::images;

at::Tensor grey(std::int64_t level, at::IntArrayRef shape) {
  return at::full(shape, level, at::kByte);
}

void expect_near(const std::vector<double>& found, const nlohmann::json& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_NEAR(found[i], expected.at(i).get<double>(), 1e-10);
  }
}

TEST(PixelMetrics, AreThoseOfTheReferences) {
  const auto expected = golden::load("feature_metrics.json").at("pixels");
  const at::Tensor a = images(2, 19, 26, 3, 4, 16);
  const at::Tensor b = images(2, 19, 26, 3, 5, 50);
  expect_near(psnr_db(a, b, PixelSpace::channels), expected.at("psnr"));
  expect_near(psnr_db(a, b, PixelSpace::luma), expected.at("psnr_luma"));
  expect_near(ssim(a, b, PixelSpace::channels), expected.at("ssim"));
  expect_near(ssim(a, b, PixelSpace::luma), expected.at("ssim_luma"));
}

TEST(Psnr, OfAConstantShiftIsTheFormula) {
  const at::Tensor a = images(2, 12, 12, 3, 1, 16);
  for (const std::int64_t shift : {1, 16}) {
    for (const double value : psnr_db(a, a + shift, PixelSpace::channels)) {
      EXPECT_DOUBLE_EQ(value, 20 * std::log10(255.0 / static_cast<double>(shift)));
    }
  }
  // Luma has 219 levels of 255.
  EXPECT_NEAR(psnr_db(a, a + 16, PixelSpace::luma)[0], 20 * std::log10(255.0 / (16 * 219.0 / 255)),
              1e-10);
  EXPECT_DOUBLE_EQ(psnr_db(grey(0, {1, 2, 2, 3}), grey(255, {1, 2, 2, 3}), PixelSpace::channels)[0],
                   0.0);
}

TEST(Psnr, OfEqualImagesIsInfiniteAndLeftOutOfTheMean) {
  const at::Tensor a = images(3, 12, 12, 3, 1, 16);
  at::Tensor b = a + 1;
  b[1].copy_(a[1]);
  const auto values = psnr_db(a, b, PixelSpace::channels);
  EXPECT_TRUE(std::isinf(values[1]));
  const PsnrMean mean = mean_psnr(values);
  EXPECT_DOUBLE_EQ(mean.mean_db, 20 * std::log10(255.0));
  EXPECT_EQ(mean.equal_pairs, 1);
  EXPECT_TRUE(std::isinf(mean_psnr(psnr_db(a, a, PixelSpace::luma)).mean_db));
}

/// With constant images only the first factor of equation 13 is left.
TEST(Ssim, OfConstantImagesIsTheFormula) {
  const double c1 = 2.55 * 2.55;
  const double expected = (2.0 * 100 * 140 + c1) / (100.0 * 100 + 140.0 * 140 + c1);
  EXPECT_NEAR(ssim(grey(100, {1, 11, 15, 1}), grey(140, {1, 11, 15, 1}), PixelSpace::channels)[0],
              expected, 1e-9);
}

TEST(Ssim, IsOneForEqualImagesAndSymmetric) {
  const at::Tensor a = images(2, 13, 17, 3, 1, 16);
  const at::Tensor b = images(2, 13, 17, 3, 2, 40);
  for (const double value : ssim(a, a, PixelSpace::channels)) EXPECT_NEAR(value, 1.0, 1e-12);
  const auto forth = ssim(a, b, PixelSpace::luma);
  const auto back = ssim(b, a, PixelSpace::luma);
  EXPECT_NEAR(forth[1], back[1], 1e-12);
  EXPECT_LT(forth[1], 0.99);
}

TEST(PixelMetrics, TakeASingleChannelAsEqualRedGreenAndBlue) {
  const at::Tensor a = images(1, 12, 12, 1, 1, 16);
  const at::Tensor b = images(1, 12, 12, 1, 2, 40);
  const auto rgb = [](const at::Tensor& grey) { return grey.expand({1, 12, 12, 3}); };
  for (const auto space : {PixelSpace::channels, PixelSpace::luma}) {
    EXPECT_NEAR(ssim(a, b, space)[0], ssim(rgb(a), rgb(b), space)[0], 1e-12);
    EXPECT_NEAR(psnr_db(a, b, space)[0], psnr_db(rgb(a), rgb(b), space)[0], 1e-9);
  }
}

TEST(PixelMetrics, RefuseWhatCannotBeCompared) {
  const at::Tensor a = grey(1, {2, 12, 12, 3});
  EXPECT_THROW(psnr_db(a, grey(1, {2, 12, 13, 3}), PixelSpace::channels), DataError);
  EXPECT_THROW(psnr_db(a, a.to(at::kFloat), PixelSpace::channels), DataError);
  EXPECT_THROW(psnr_db(a[0], a[0], PixelSpace::channels), DataError);
  EXPECT_THROW(psnr_db(grey(1, {1, 0, 4, 3}), grey(1, {1, 0, 4, 3}), PixelSpace::channels),
               DataError);
  EXPECT_THROW(ssim(grey(1, {1, 12, 12, 4}), grey(1, {1, 12, 12, 4}), PixelSpace::luma), DataError);
  const at::Tensor small = grey(1, {1, 10, 40, 3});
  const auto message = message_of<DataError>([&] { ssim(small, small, PixelSpace::channels); });
  EXPECT_NE(message.find("images of 10x40 (height x width) are smaller than the window"),
            std::string::npos)
      << message;
}

}  // namespace
}  // namespace effuse
