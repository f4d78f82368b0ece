#include "preflight/clocks.hpp"

#include <gtest/gtest.h>

#include "hosts.hpp"

namespace effuse {
namespace {

constexpr std::int64_t kMs = 1000000;

TEST(EstimateClocks, BoundsComeFromTheNarrowestBarriers) {
  // True times: all come by 10 ms and leave at 12 ms; then by 100, and leave at 100 to 101.
  const std::int64_t ahead = 5000 * kMs;
  const ClockSamples first{{2 * kMs, 100 * kMs}, {12 * kMs, 100 * kMs}};
  const ClockSamples other{{ahead + 10 * kMs, ahead + 99 * kMs},
                           {ahead + 13 * kMs, ahead + 101 * kMs}};
  const auto clocks = estimate_clocks({first, other});
  ASSERT_EQ(clocks.size(), 2u);
  EXPECT_DOUBLE_EQ(clocks[0].offset_s, 0.0);
  // At least 99 - 100, at most 101 - 100 from the second barrier.
  EXPECT_DOUBLE_EQ(clocks[1].offset_s, 5.0);
  EXPECT_DOUBLE_EQ(clocks[1].uncertainty_s, 1e-3);
}

TEST(EstimateClocks, EqualClocksAreNeverFoundApart) {
  const ClockSamples late{{90 * kMs}, {100 * kMs}}, early{{1 * kMs}, {95 * kMs}};
  const auto clocks = estimate_clocks({early, late});
  EXPECT_LE(std::abs(clocks[1].offset_s), clocks[1].uncertainty_s);
  EXPECT_EQ(judge_clocks(on_hosts({1, 1}), clocks, 0.0).verdict(), Verdict::ok);
}

TEST(JudgeClocks, ASkewAboveTheLimitFailsItsRanks) {
  const Finding finding =
      judge_clocks(on_hosts({2, 2}), {{0, 0}, {0, 1e-4}, {-3.21, 1e-3}, {-3.22, 1e-3}}, 1.0);
  EXPECT_EQ(finding.verdict(), Verdict::failed);
  EXPECT_EQ(finding.problems.size(), 1u) << problems_of(finding);
  EXPECT_SAYS(finding, "ranks 2-3 (node-2): the clock is 3.2 s behind rank 0's, more than 1 s");
  EXPECT_SAYS(judge_clocks(on_hosts({1, 1}), {{0, 0}, {2, 0}}, 1.0), "2.0 s ahead of rank 0's");
}

TEST(JudgeClocks, WhatIsNotSureIsNotAFailure) {
  const Finding finding = judge_clocks(on_hosts({1, 1}), {{0, 0}, {1.2, 0.3}}, 1.0);
  EXPECT_EQ(finding.verdict(), Verdict::ok);
  EXPECT_EQ(finding.result, "at most 1200.00 ms from rank 0's, known to 300.00 ms");
}

}  // namespace
}  // namespace effuse
