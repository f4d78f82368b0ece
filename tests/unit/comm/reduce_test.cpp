#include "comm/reduce.hpp"

#include <c10/util/BFloat16.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>
#include <vector>

namespace effuse {
namespace {

template <class T>
std::vector<T> reduce(at::ScalarType type, ReduceOp op, std::vector<std::vector<T>> parts) {
  std::vector<const std::byte*> pointers;
  for (const auto& part : parts) {
    pointers.push_back(reinterpret_cast<const std::byte*>(part.data()));
  }
  auto* out = reinterpret_cast<std::byte*>(parts.back().data());  // in place of the last one
  reduce_in_order(type, op, pointers, out, parts.back().size());
  return parts.back();
}

TEST(ReduceInOrder, AddsFromTheFirstPartToTheLast) {
  // (1e8 + -1e8) + 1 is 1; any other order gives 0 in float32.
  const auto sum = reduce<float>(at::kFloat, ReduceOp::sum, {{1e8F}, {-1e8F}, {1.0F}});
  EXPECT_EQ(sum, std::vector<float>{1.0F});
}

TEST(ReduceInOrder, Bfloat16IsSummedInFloat32) {
  // In bfloat16 steps 256 + 1 stays 256 each time; in float32 the sum is 260, which bfloat16 holds.
  using BF = c10::BFloat16;
  const auto sum =
      reduce<BF>(at::kBFloat16, ReduceOp::sum, {{BF(256)}, {BF(1)}, {BF(1)}, {BF(1)}, {BF(1)}});
  EXPECT_EQ(static_cast<float>(sum[0]), 260.0F);
}

TEST(ReduceInOrder, MoreThanATileIsWhole) {
  std::vector<std::int64_t> ramp(5001);
  for (std::size_t i = 0; i < ramp.size(); ++i) ramp[i] = static_cast<std::int64_t>(i);
  const auto sum = reduce<std::int64_t>(at::kLong, ReduceOp::sum, {ramp, ramp, ramp});
  for (std::size_t i = 0; i < ramp.size(); ++i) ASSERT_EQ(sum[i], 3 * ramp[i]);
}

TEST(ReduceInOrder, ANanSurvivesMaxAndMinFromEitherSide) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const ReduceOp op : {ReduceOp::max, ReduceOp::min}) {
    const auto result = reduce<float>(at::kFloat, op, {{nan, 1.0F}, {1.0F, nan}});
    EXPECT_TRUE(std::isnan(result[0]));
    EXPECT_TRUE(std::isnan(result[1]));
  }
}

TEST(ReduceInOrder, BytesWrapAround) {
  const auto sum = reduce<std::uint8_t>(at::kByte, ReduceOp::sum, {{200}, {100}});
  EXPECT_EQ(sum[0], 44);
}

}  // namespace
}  // namespace effuse
