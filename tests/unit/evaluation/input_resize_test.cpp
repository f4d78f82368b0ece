#include "evaluation/input_resize.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <vector>

#include "core/error.hpp"

namespace effuse {
namespace {

std::vector<float> row(std::int64_t from, std::int64_t to, std::int64_t number,
                       InputConvention convention) {
  const at::Tensor weights = resize_weights(from, to, convention)[number].contiguous();
  return {weights.const_data_ptr<float>(), weights.const_data_ptr<float>() + from};
}

at::Tensor images(std::int64_t height, std::int64_t width) {
  at::manual_seed(3);
  return at::randint(0, 256, {2, height, width, 3}, at::kByte);
}

TEST(InputResize, WeightsOfEveryConventionSumToOne) {
  for (const auto convention : {InputConvention::legacy_pytorch, InputConvention::legacy_tensorflow,
                                InputConvention::clean}) {
    for (const auto& [from, to] : {std::pair{32, 299}, std::pair{512, 299}, std::pair{1, 299}}) {
      const at::Tensor sums = resize_weights(from, to, convention).sum(1);
      EXPECT_TRUE(at::allclose(sums, at::ones({to}), 0.0, 1e-5));
    }
  }
}

TEST(InputResize, LegacyPytorchIsThatOfInterpolate) {
  for (const auto& [height, width] : {std::pair{32, 20}, std::pair{310, 301}}) {
    const at::Tensor pixels = images(height, width);
    const at::Tensor scaled = pixels.permute({0, 3, 1, 2}).to(at::kFloat) / 255.0;
    const at::Tensor expected = at::upsample_bilinear2d(scaled, {299, 299}, false) * 2.0 - 1.0;
    const at::Tensor input = as_network_input(pixels, 299, InputConvention::legacy_pytorch);
    EXPECT_TRUE(at::allclose(input, expected, 0.0, 3e-5));  // places are fp32
  }
}

TEST(InputResize, LegacyTensorflowSamplesFromTheCorner) {
  EXPECT_EQ(row(2, 4, 0, InputConvention::legacy_tensorflow), (std::vector<float>{1, 0}));
  EXPECT_EQ(row(2, 4, 1, InputConvention::legacy_tensorflow), (std::vector<float>{0.5, 0.5}));
  EXPECT_EQ(row(2, 4, 2, InputConvention::legacy_tensorflow), (std::vector<float>{0, 1}));
  EXPECT_EQ(row(2, 4, 3, InputConvention::legacy_tensorflow), (std::vector<float>{0, 1}));
}

TEST(InputResize, CleanIsPilsBicubicWhereItShrinks) {
  // Image.new("F") of a single 1 at each of eight places, resized to four by BICUBIC, second pixel.
  const std::vector<float> weights = row(8, 4, 1, InputConvention::clean);
  const std::vector<float> expected{-0.03474903F, 0.11196911F,  0.42857143F,  0.42857143F,
                                    0.11196911F,  -0.03474903F, -0.01158301F, 0.00000000F};
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(weights[i], expected[i], 1e-6) << i;
}

TEST(InputResize, ImagesOfTheRightSizeAreScaledOnly) {
  const at::Tensor pixels = images(299, 299);
  const at::Tensor planes = pixels.permute({0, 3, 1, 2}).to(at::kFloat);
  EXPECT_TRUE(
      at::equal(as_network_input(pixels, 299, InputConvention::clean), (planes - 128.0) / 128.0));
  EXPECT_TRUE(at::equal(as_network_input(pixels, 299, InputConvention::legacy_tensorflow),
                        (planes - 128.0) / 128.0));
}

TEST(InputResize, KnowsItsConventionsByName) {
  EXPECT_EQ(input_convention_named("clean"), InputConvention::clean);
  EXPECT_THROW(input_convention_named("dirty"), ConfigError);
}

}  // namespace
}  // namespace effuse
