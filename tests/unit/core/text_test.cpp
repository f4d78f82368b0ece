#include "core/text.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

namespace effuse {
namespace {

TEST(Shortest, ReadsBackAndIsPlainWherePeopleWouldWriteItSo) {
  EXPECT_EQ(shortest(600), "600");
  EXPECT_EQ(shortest(1e6), "1000000");
  EXPECT_EQ(shortest(0.1), "0.1");
  EXPECT_EQ(shortest(-2e-4), "-0.0002");
  EXPECT_EQ(shortest(1e-8), "1e-08");
  EXPECT_EQ(shortest(0), "0");
  EXPECT_EQ(shortest(1.0 / 3), "0.3333333333333333");
}

TEST(Text, CatJoinsAnything) { EXPECT_EQ(cat("a", 1, 'b', 2.5, std::string("c")), "a1b2.5c"); }

TEST(Text, FixedHasExactlyItsDigits) {
  EXPECT_EQ(fixed(3.14159, 2), "3.14");
  EXPECT_EQ(fixed(2.0, 3), "2.000");
  EXPECT_EQ(fixed(99.7, 0), "100");
}

TEST(Text, HumanBytes) {
  EXPECT_EQ(human_bytes(0), "0 B");
  EXPECT_EQ(human_bytes(1023), "1023 B");
  EXPECT_EQ(human_bytes(1024), "1.0 KiB");
  EXPECT_EQ(human_bytes(1536), "1.5 KiB");
  EXPECT_EQ(human_bytes(std::uint64_t{3} << 30), "3.0 GiB");
  EXPECT_EQ(human_bytes(~std::uint64_t{0}), "16384.0 PiB");
}

TEST(Text, HumanSeconds) {
  EXPECT_EQ(human_seconds(0), "0 s");
  EXPECT_EQ(human_seconds(-3), "0 s");
  EXPECT_EQ(human_seconds(45), "45 s");
  EXPECT_EQ(human_seconds(59.7), "1 min 0 s");
  EXPECT_EQ(human_seconds(200), "3 min 20 s");
  EXPECT_EQ(human_seconds(7500), "2 h 5 min");
  EXPECT_EQ(human_seconds(std::numeric_limits<double>::infinity()), "unknown time");
  EXPECT_EQ(human_seconds(std::numeric_limits<double>::quiet_NaN()), "unknown time");
}

TEST(Text, HumanCount) {
  EXPECT_EQ(human_count(0), "0");
  EXPECT_EQ(human_count(999), "999");
  EXPECT_EQ(human_count(1000), "1,000");
  EXPECT_EQ(human_count(60'000), "60,000");
  EXPECT_EQ(human_count(1'234'567), "1,234,567");
  EXPECT_EQ(human_count(~std::uint64_t{0}), "18,446,744,073,709,551,615");
}

TEST(Text, NearestNameFindsWhatWasMeant) {
  const std::vector<std::string> names{"run.steps", "run.batch_size", "optimizer.lr"};
  EXPECT_EQ(nearest_name("run.step", names), "run.steps");
  EXPECT_EQ(nearest_name("run.batchsize", names), "run.batch_size");
  EXPECT_EQ(nearest_name("optimiser.lr", names), "optimizer.lr");
  EXPECT_EQ(nearest_name("run.steps", names), "run.steps");
}

TEST(Text, NearestNameSaysNothingRatherThanNonsense) {
  const std::vector<std::string> names{"run.steps", "optimizer.lr"};
  EXPECT_EQ(nearest_name("completely.different", names), "");
  EXPECT_EQ(nearest_name("x", std::vector<std::string>{}), "");
}

}  // namespace
}  // namespace effuse
