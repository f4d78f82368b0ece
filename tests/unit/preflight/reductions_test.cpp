#include "preflight/reductions.hpp"

#include <gtest/gtest.h>

#include "core/text.hpp"
#include "hosts.hpp"
#include "support/world.hpp"

namespace effuse {
namespace {

using testing::session;
using testing::world;

TEST(ReductionSizes, ArePowersOfFourFromAKibibyte) {
  EXPECT_EQ(reduction_sizes(1024), std::vector<std::uint64_t>{1024});
  EXPECT_EQ(reduction_sizes(500), std::vector<std::uint64_t>{1024});
  EXPECT_EQ(reduction_sizes(20000), (std::vector<std::uint64_t>{1024, 4096, 16384}));
  EXPECT_EQ(reduction_sizes(std::uint64_t{64} << 20).back(), std::uint64_t{64} << 20);
}

TEST(BusBandwidth, IsThatOfNcclTests) {
  // Of its PERFORMANCE.md: all-reduce, B = S/t · 2(n-1)/n.
  EXPECT_DOUBLE_EQ(bus_bandwidth(1000000, 1e-3, 8), 1e9 * 1.75);
  EXPECT_DOUBLE_EQ(bus_bandwidth(1000000, 1e-3, 2), 1e9);
  EXPECT_DOUBLE_EQ(bus_bandwidth(1000000, 1e-3, 1), 0.0);
}

ReductionFacts measured(double seconds, bool is_right = true) {
  return {"", "mpi", {{1024, seconds, true}, {4 << 20, seconds, is_right}}};
}

TEST(JudgeReductions, TimesAreAveragesOverTheRanks) {
  const Finding finding = judge_reductions(on_hosts({2}), {measured(1e-3), measured(3e-3)});
  EXPECT_EQ(finding.verdict(), Verdict::ok);
  EXPECT_EQ(finding.result, "over mpi, up to 2.10 GB/s of bus bandwidth");
  ASSERT_EQ(finding.details.size(), 3u);
  EXPECT_EQ(finding.details[2], "   4 MiB       2.000 ms       2.097 GB/s       2.097 GB/s");
  EXPECT_EQ(finding.details[0].size(), finding.details[1].size()) << "columns are aligned";
}

TEST(JudgeReductions, WrongSumsFailTheirRanks) {
  const Finding finding =
      judge_reductions(on_hosts({1, 1}), {measured(1e-3), measured(1e-3, false)});
  EXPECT_EQ(finding.verdict(), Verdict::failed);
  EXPECT_SAYS(finding, "rank 1 (node-2): an all-reduce of 4 MiB gave wrong sums");
}

TEST(JudgeReductions, AnErrorFailsAndOnlyCommonSizesAreShown) {
  ReductionFacts broken = measured(1e-3);
  broken.error = "the network is down";
  broken.sizes.pop_back();
  const Finding finding = judge_reductions(on_hosts({1, 1}), {measured(1e-3), broken});
  EXPECT_SAYS(finding, "rank 1 (node-2): the network is down");
  EXPECT_EQ(finding.details.size(), 2u);
  broken.sizes.clear();
  EXPECT_EQ(judge_reductions(on_hosts({1, 1}), {broken, broken}).result, "none was completed");
}

TEST(CheckReductions, GivesRightSumsOnTheRanksThereAre) {
  const Places places = gather_places(world(), session());
  const auto open = [] {
    return make_communicator(session(), testing::backend(), testing::device(),
                             testing::deadlines());
  };
  const Finding finding =
      check_reductions(world(), places, open, testing::device(), std::uint64_t{1} << 20);
  EXPECT_EQ(finding.verdict(), Verdict::ok) << problems_of(finding);
  EXPECT_EQ(finding.details.size(), 1u + 6u);
}

TEST(CheckReductions, ACommunicatorThatCannotBeMadeIsAFinding) {
  const Places places = gather_places(world(), session());
  const auto open = []() -> std::unique_ptr<Communicator> {
    throw ConfigError("two ranks are on one GPU");
  };
  const Finding finding = check_reductions(world(), places, open, testing::device(), 1024);
  EXPECT_EQ(finding.verdict(), Verdict::failed);
  EXPECT_SAYS(finding, "two ranks are on one GPU");
  EXPECT_EQ(gather_places(world(), session()).size(), places.size()) << "the ranks go on";
}

}  // namespace
}  // namespace effuse
