#include "generation/noise_source.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <vector>

#include "core/error.hpp"
#include "diffusion/draws.hpp"

namespace effuse {
namespace {

const std::vector<std::int64_t> kImages{2, 0, 5};

TEST(SeededNoise, IsThatOfTheDraws) {
  const SeededNoise noise(7);
  EXPECT_TRUE(at::equal(noise.initial(kImages, {1, 2, 2}), initial_noise(7, kImages, {1, 2, 2})));
  EXPECT_TRUE(at::equal(noise.step(kImages, {1, 2, 2}, 3), step_noise(7, kImages, {1, 2, 2}, 3)));
}

TEST(GivenNoise, GivesRowsByImageAndTheLastToThePadding) {
  const at::Tensor initial = at::arange(12, at::kDouble).reshape({3, 1, 2, 2});
  const at::Tensor steps = at::stack({initial + 100, initial + 200});
  const GivenNoise noise(initial, steps);
  EXPECT_EQ(noise.images(), 3);
  EXPECT_EQ(noise.steps(), 2);
  const at::Tensor rows = at::stack({initial[2], initial[0], initial[2]}).to(at::kFloat);
  EXPECT_TRUE(at::equal(noise.initial(kImages, {1, 2, 2}), rows));
  EXPECT_TRUE(at::equal(noise.step(kImages, {1, 2, 2}, 1), rows + 200));
}

TEST(GivenNoise, OfOtherShapesOrTypesIsRefused) {
  const at::Tensor initial = at::zeros({3, 1, 2, 2});
  EXPECT_THROW(GivenNoise(at::zeros({3, 2, 2}), {}), ConfigError);
  EXPECT_THROW(GivenNoise(at::zeros({0, 1, 2, 2}), {}), ConfigError);
  EXPECT_THROW(GivenNoise(initial.to(at::kLong), {}), ConfigError);
  EXPECT_THROW(GivenNoise(initial, at::zeros({2, 2, 1, 2, 2})), ConfigError);
  EXPECT_THROW(GivenNoise(initial, initial), ConfigError);
  EXPECT_EQ(GivenNoise(initial, {}).steps(), 0);
}

}  // namespace
}  // namespace effuse
