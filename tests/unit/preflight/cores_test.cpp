#include "preflight/cores.hpp"

#include <gtest/gtest.h>
#include <sched.h>

#include "hosts.hpp"
#include "preflight/affinity.hpp"

namespace effuse {
namespace {

/// A rank bound to `cpus` of a host with the cores `available`, without hardware threads.
CoreFacts bound(const std::string& cpus, const std::string& available, int threads = 1) {
  CoreFacts facts;
  facts.cpus = parse_cpu_list(cpus);
  facts.physical = facts.cpus;
  facts.available = parse_cpu_list(available);
  facts.available_physical = static_cast<int>(facts.available.size());
  facts.threads = threads;
  return facts;
}

TEST(CpuList, BothWays) {
  EXPECT_EQ(parse_cpu_list("0-3,8,10-11\n"), (std::vector<int>{0, 1, 2, 3, 8, 10, 11}));
  EXPECT_EQ(parse_cpu_list("5"), std::vector<int>{5});
  EXPECT_EQ(parse_cpu_list(""), std::vector<int>{});
  EXPECT_EQ(to_cpu_list({0, 1, 2, 3, 8, 10, 11}), "0-3,8,10-11");
}

TEST(FindCores, SeesWhatTheProcessIsBoundTo) {
  cpu_set_t before;
  ASSERT_EQ(::sched_getaffinity(0, sizeof(before), &before), 0);
  const CoreFacts free = find_cores(3);
  ASSERT_FALSE(free.cpus.empty());
  EXPECT_EQ(free.physical.size(), free.cpus.size());
  EXPECT_GE(free.available.size(), 1u);
  EXPECT_GE(free.available_physical, 1);
  EXPECT_EQ(free.threads, 3);
  cpu_set_t last;
  CPU_ZERO(&last);
  CPU_SET(static_cast<std::size_t>(free.cpus.back()), &last);
  ASSERT_EQ(::sched_setaffinity(0, sizeof(last), &last), 0);
  EXPECT_EQ(find_cores(1).cpus, std::vector<int>{free.cpus.back()});
  ::sched_setaffinity(0, sizeof(before), &before);
}

TEST(JudgeCores, CoresOfOnesOwnAreFine) {
  const Finding finding =
      judge_cores(on_hosts({2}), {bound("0-3", "0-7", 4), bound("4-7", "0-7", 4)});
  EXPECT_EQ(finding.verdict(), Verdict::ok) << problems_of(finding);
  EXPECT_EQ(finding.result, "4 of 8 cores and 4 threads a rank");
}

TEST(JudgeCores, RanksThatShareEnoughCoresAreFine) {
  const Finding finding =
      judge_cores(on_hosts({2}), {bound("0-7", "0-7", 4), bound("0-7", "0-7", 4)});
  EXPECT_EQ(finding.verdict(), Verdict::ok) << problems_of(finding);
}

TEST(JudgeCores, RanksBoundToOneCoreFailAtEachHost) {
  const Places places = on_hosts({4, 4});
  std::vector<CoreFacts> facts;
  for (int host = 0; host < 2; ++host) {
    for (const char* cpus : {"0", "0", "1-3", "4-7"}) facts.push_back(bound(cpus, "0-7"));
  }
  const Finding finding = judge_cores(places, facts);
  EXPECT_EQ(finding.verdict(), Verdict::failed);
  ASSERT_EQ(finding.problems.size(), 1u) << problems_of(finding);
  EXPECT_SAYS(finding,
              "ranks 0-1, 4-5 (node-1, node-2): 2 ranks bound together to core 0, where the host "
              "has 8");
  EXPECT_SAYS(finding, "--cpus-per-task");
}

TEST(JudgeCores, OverlapsAreFollowedFromRankToRank) {
  // 0 and 2 share nothing but share with 1: three ranks on two cores.
  const Finding finding =
      judge_cores(on_hosts({3}), {bound("0", "0-7"), bound("0-1", "0-7"), bound("1", "0-7")});
  EXPECT_SAYS(finding, "all 3 ranks: 3 ranks bound together to cores 0-1, where the host has 8");
}

TEST(JudgeCores, MoreRanksThanAHostHasCoresIsAWarning) {
  const Finding finding =
      judge_cores(on_hosts({3}), {bound("0-1", "0-1"), bound("0-1", "0-1"), bound("0-1", "0-1")});
  EXPECT_EQ(finding.verdict(), Verdict::warning);
  EXPECT_SAYS(finding, "all 3 ranks: share cores 0-1, all there are, among 3 ranks");
}

TEST(JudgeCores, MoreThreadsThanCoresIsAWarning) {
  const Finding finding =
      judge_cores(on_hosts({2}), {bound("0-3", "0-7", 8), bound("4-7", "0-7", 4)});
  EXPECT_EQ(finding.verdict(), Verdict::warning);
  EXPECT_SAYS(finding, "rank 0 (node-1): 8 compute threads share cores 0-3");
  EXPECT_FALSE(contains(problems_of(finding), "rank 1"));
}

TEST(JudgeCores, HardwareThreadsOfOneCoreAreNoCoresOfOnesOwn) {
  CoreFacts even = bound("0,2", "0-3"), odd = bound("1,3", "0-3");
  even.physical = odd.physical = {0, 2};
  even.available_physical = odd.available_physical = 2;
  const Finding finding = judge_cores(on_hosts({2}), {even, odd});
  EXPECT_EQ(finding.verdict(), Verdict::warning);
  EXPECT_SAYS(finding, "all 2 ranks: hardware threads of one physical core belong to different");
}

TEST(JudgeCores, AHostThatIsMostlyIdleIsAWarning) {
  const Finding finding = judge_cores(on_hosts({2}), {bound("0", "0-63"), bound("1", "0-63")});
  EXPECT_EQ(finding.verdict(), Verdict::warning);
  EXPECT_SAYS(finding, "their host has 64 cores and they are bound to 2 of them");
}

TEST(JudgeCores, AContainerMayAllowLessThanItShows) {
  CoreFacts facts = bound("0-63", "0-63", 64);
  facts.quota = 4;
  EXPECT_SAYS(judge_cores(on_hosts({1}), {facts}),
              "64 compute threads where the container may use 4.0 cores");
  facts.threads = 4;
  EXPECT_EQ(judge_cores(on_hosts({1}), {facts}).verdict(), Verdict::ok);
}

}  // namespace
}  // namespace effuse
