#include "diffusion/quantise.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace effuse {
namespace {

TEST(Quantise, ClampsThenRounds) {
  const at::Tensor values =
      at::tensor({-7.0F, -1.0F, -0.9999F, 0.003F, 0.9921F, 1.0F, 1.5F, 300.0F})
          .reshape({1, 1, 2, 4});
  const at::Tensor levels = to_uint8(values);
  EXPECT_EQ(levels.sizes(), (at::IntArrayRef{1, 2, 4, 1}));
  EXPECT_EQ(levels.scalar_type(), at::kByte);
  EXPECT_TRUE(at::equal(levels.flatten().to(at::kLong),
                        at::tensor({0, 0, 0, 128, 254, 255, 255, 255}, at::kLong)));
}

TEST(Quantise, RoundsHalvesUp) {
  const at::Tensor halves = at::tensor({-1.0F + 1 / 255.0F, 0.0F, 0.4F}).reshape({1, 1, 1, 3});
  EXPECT_TRUE(
      at::equal(to_uint8(halves).flatten().to(at::kLong), at::tensor({1, 128, 179}, at::kLong)));
}

TEST(Quantise, IsUndoneExactlyForEveryLevel) {
  const at::Tensor pixels = at::arange(256 * 3).remainder(256).to(at::kByte).reshape({2, 8, 16, 3});
  const at::Tensor images = from_uint8(pixels);
  EXPECT_EQ(images.sizes(), (at::IntArrayRef{2, 3, 8, 16}));
  EXPECT_TRUE(images.is_contiguous());
  EXPECT_EQ(images.min().item<float>(), -1.0F);
  EXPECT_EQ(images.max().item<float>(), 1.0F);
  EXPECT_TRUE(at::equal(to_uint8(images), pixels));
  EXPECT_EQ(images[1][2][3][4].item<float>(),
            static_cast<float>(pixels[1][3][4][2].item<int>()) / 127.5F - 1.0F);
}

}  // namespace
}  // namespace effuse
