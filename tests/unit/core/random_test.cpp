#include "core/random.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <vector>

namespace effuse {
namespace {

using Words = std::array<std::uint32_t, 4>;

// The known answers of the Random123 library (kat_vectors, philox4x32 10).
TEST(Philox, AgreesWithRandom123) {
  EXPECT_EQ(philox4x32({0, 0, 0, 0}, 0),
            (Words{0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u}));
  EXPECT_EQ(philox4x32({~0u, ~0u, ~0u, ~0u}, ~std::uint64_t{0}),
            (Words{0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu}));
  // The digits of pi; the key's first word is the lower half of ours.
  EXPECT_EQ(philox4x32({0x243f6a88u, 0x85a308d3u, 0x13198a2eu, 0x03707344u}, 0x299f31d0a4093822u),
            (Words{0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u}));
}

// The layout is part of the reproducibility contract: (block, purpose and draw, position), key =
// seed.
TEST(RandomStream, IsPhiloxOfBlockPurposeDrawAndPosition) {
  const std::uint64_t seed = 0x0123456789abcdefu;
  const std::uint64_t position = 0xfedcba9876543210u;
  RandomStream stream(seed, Purpose::time_step, position, 5);
  for (std::uint32_t block = 0; block < 3; ++block) {
    const Words expected = philox4x32({block, 2u << 24 | 5u, 0x76543210u, 0xfedcba98u}, seed);
    for (const std::uint32_t word : expected) EXPECT_EQ(stream.next_word(), word);
  }
}

TEST(RandomStream, DiffersInEachOfItsCoordinates) {
  const auto first = [](std::uint64_t seed, Purpose purpose, std::uint64_t position,
                        std::uint32_t draw) {
    return RandomStream(seed, purpose, position, draw).next_word();
  };
  const std::uint32_t base = first(1, Purpose::noise, 1, 1);
  EXPECT_EQ(first(1, Purpose::noise, 1, 1), base);
  EXPECT_NE(first(2, Purpose::noise, 1, 1), base);
  EXPECT_NE(first(1, Purpose::flip, 1, 1), base);
  EXPECT_NE(first(1, Purpose::noise, 2, 1), base);
  EXPECT_NE(first(1, Purpose::noise, 1u + (std::uint64_t{1} << 32), 1), base);
  EXPECT_NE(first(1, Purpose::noise, 1, 2), base);
}

TEST(RandomStream, PurposesKeepTheirNumbers) {
  EXPECT_EQ(static_cast<int>(Purpose::noise), 1);
  EXPECT_EQ(static_cast<int>(Purpose::time_step), 2);
  EXPECT_EQ(static_cast<int>(Purpose::label_drop), 3);
  EXPECT_EQ(static_cast<int>(Purpose::flip), 4);
  EXPECT_EQ(static_cast<int>(Purpose::permutation), 5);
  EXPECT_EQ(static_cast<int>(Purpose::weights), 6);
  EXPECT_EQ(static_cast<int>(Purpose::initial_noise), 7);
  EXPECT_EQ(static_cast<int>(Purpose::step_noise), 8);
  EXPECT_EQ(static_cast<int>(Purpose::dropout), 9);
}

TEST(RandomStream, UniformUsesTheUpper53BitsOfTwoWords) {
  RandomStream words(3, Purpose::noise, 0);
  RandomStream numbers(3, Purpose::noise, 0);
  for (int i = 0; i < 100; ++i) {
    const std::uint64_t high = words.next_word();
    const std::uint64_t low = words.next_word();
    const double expected = std::ldexp(static_cast<double>((high << 32 | low) >> 11), -53);
    EXPECT_EQ(numbers.uniform(), expected);
  }
}

TEST(RandomStream, BelowIsUniformAndInRange) {
  RandomStream stream(4, Purpose::time_step, 0);
  std::array<int, 10> counts{};
  for (int i = 0; i < 100'000; ++i) ++counts.at(stream.below(10));
  // Chi-squared with 9 degrees of freedom: 33.7 is exceeded once in 10,000 seeds.
  double chi_squared = 0;
  for (const int count : counts) chi_squared += (count - 10'000.0) * (count - 10'000.0) / 10'000.0;
  EXPECT_LT(chi_squared, 33.7);
  EXPECT_EQ(stream.below(1), 0u);
}

TEST(RandomStream, NormalsHaveTheMomentsOfAStandardNormal) {
  RandomStream stream(5, Purpose::noise, 7);
  std::vector<float> values(400'000);
  stream.fill_normal(values);
  double sum = 0, squares = 0, fourths = 0;
  for (const float value : values) {
    ASSERT_TRUE(std::isfinite(value));
    sum += value;
    squares += double{value} * value;
    fourths += std::pow(double{value}, 4);
  }
  const auto n = static_cast<double>(values.size());
  EXPECT_NEAR(sum / n, 0.0, 4 / std::sqrt(n));
  EXPECT_NEAR(squares / n, 1.0, 4 * std::sqrt(2 / n));
  EXPECT_NEAR(fourths / n, 3.0, 4 * std::sqrt(96 / n));
}

TEST(RandomStream, AShorterFillIsThePrefixOfALongerOne) {
  std::vector<float> longer(11);
  std::vector<float> shorter(6);
  RandomStream(6, Purpose::noise, 1).fill_normal(longer);
  RandomStream(6, Purpose::noise, 1).fill_normal(shorter);
  EXPECT_EQ(shorter, std::vector<float>(longer.begin(), longer.begin() + 6));
}

TEST(RandomStream, AFillBeginsAtAFreshBlock) {
  RandomStream used(6, Purpose::noise, 1);
  used.next_word();
  std::vector<float> after_one_word(4);
  used.fill_normal(after_one_word);
  RandomStream fresh(6, Purpose::noise, 1);
  std::vector<float> two_blocks(8);
  fresh.fill_normal(two_blocks);
  EXPECT_EQ(after_one_word, std::vector<float>(two_blocks.begin() + 4, two_blocks.end()));
}

TEST(RandomStream, FillUniformStaysInItsRange) {
  std::vector<float> values(10'000);
  RandomStream(7, Purpose::weights, 0).fill_uniform(values, -0.25f, 0.75f);
  double sum = 0;
  for (const float value : values) {
    ASSERT_GE(value, -0.25f);
    ASSERT_LT(value, 0.75f);
    sum += value;
  }
  EXPECT_NEAR(sum / 10'000, 0.25, 4 * std::sqrt(1 / 12.0 / 10'000));
}

}  // namespace
}  // namespace effuse
