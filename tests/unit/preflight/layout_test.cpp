#include "preflight/layout.hpp"

#include <gtest/gtest.h>

#include "hosts.hpp"

namespace effuse {
namespace {

TEST(JudgeLayout, EvenHostsAreFine) {
  const Finding finding = judge_layout(on_hosts({4, 4}));
  EXPECT_EQ(finding.verdict(), Verdict::ok) << problems_of(finding);
  EXPECT_EQ(finding.result, "8 ranks on 2 hosts, 4 on each");
  EXPECT_EQ(judge_layout(on_hosts({1})).result, "1 rank on 1 host, node-1");
}

TEST(JudgeLayout, RanksDealtOutInTurnsAreFine) {
  Places places = on_hosts({2, 2});
  std::swap(places[1].host, places[2].host);  // node-1: 0 and 2
  std::swap(places[1].local_rank, places[2].local_rank);
  EXPECT_EQ(judge_layout(places).verdict(), Verdict::ok);
}

TEST(JudgeLayout, AFullerHostIsNamed) {
  const Finding finding = judge_layout(on_hosts({2, 3, 2}));
  EXPECT_EQ(finding.verdict(), Verdict::warning);
  EXPECT_EQ(finding.result, "7 ranks on 3 hosts, 2 to 3 on each");
  EXPECT_SAYS(finding,
              "ranks 2-4 (node-2): their host has 3 of the ranks, where the others have 2");
}

TEST(JudgeLayout, AHostWhoseRanksDoNotFollowOnEachOtherIsNamed) {
  Places places = on_hosts({2, 2, 2});
  std::swap(places[3].host, places[5].host);  // node-2: 2 and 5; node-3: 3 and 4
  const Finding finding = judge_layout(places);
  EXPECT_EQ(finding.verdict(), Verdict::warning);
  EXPECT_SAYS(finding, "ranks 2, 5 (node-2): their numbers do not follow on each other");
}

TEST(JudgeLayout, HostsOfOneNameAreNoticed) {
  Places places = on_hosts({2, 2});
  for (Place& place : places) place.host = "localhost";
  const Finding finding = judge_layout(places);
  EXPECT_SAYS(finding,
              "all 4 ranks: share memory with 2 ranks, but 4 ranks are on a host of this "
              "name");
}

}  // namespace
}  // namespace effuse
