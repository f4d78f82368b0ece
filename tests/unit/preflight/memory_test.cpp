#include "preflight/memory.hpp"

#include <gtest/gtest.h>

#include "hosts.hpp"

namespace effuse {
namespace {

constexpr std::uint64_t kGib = std::uint64_t{1} << 30;

TEST(FindMemory, IsThisMachines) {
  const MemoryFacts facts = find_memory();
  EXPECT_GT(facts.total_bytes, 0u);
  EXPECT_GT(facts.available_bytes, 0u);
  EXPECT_LE(facts.available_bytes, facts.total_bytes);
}

TEST(JudgeMemory, TheLeastShareIsShown) {
  const MemoryFacts much{64 * kGib, 60 * kGib, 0, 0}, less{64 * kGib, 20 * kGib, 0, 0};
  EXPECT_EQ(judge_memory(on_hosts({2}), {much, much}).result,
            "60.0 GiB of 64.0 GiB free, 30.0 GiB a rank");
  const Finding finding = judge_memory(on_hosts({2, 2}), {much, much, less, less});
  EXPECT_EQ(finding.verdict(), Verdict::ok);
  EXPECT_EQ(finding.result,
            "20.0 GiB of 64.0 GiB free, 10.0 GiB a rank; that is the least, on node-2");
}

TEST(JudgeMemory, TheLimitOfAJobCountsWhereItIsLess) {
  const MemoryFacts limited{64 * kGib, 60 * kGib, 4 * kGib, kGib};
  const Finding finding = judge_memory(on_hosts({2}), {limited, limited});
  EXPECT_EQ(finding.result, "1.0 GiB of 64.0 GiB free within a limit of 4.0 GiB, 512.0 MiB a rank");
  EXPECT_EQ(finding.verdict(), Verdict::warning);
  EXPECT_SAYS(finding, "all 2 ranks: 1.0 GiB of memory for 2 ranks");
  EXPECT_SAYS(finding, "--mem");
}

}  // namespace
}  // namespace effuse
