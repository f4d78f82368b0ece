#include "preflight/places.hpp"

#include <c10/util/Exception.h>
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "hosts.hpp"

namespace effuse {
namespace {

std::string named(const Places& places, const std::vector<int>& ranks) {
  return name_ranks(places, ranks);
}

TEST(NameRanks, ByRangesAndHosts) {
  const Places places = on_hosts({4, 4, 4, 4});
  EXPECT_EQ(named(places, {3}), "rank 3 (node-1)");
  EXPECT_EQ(named(places, {0, 1, 2, 3}), "ranks 0-3 (node-1)");
  EXPECT_EQ(named(places, {0, 1, 2, 5, 7}), "ranks 0-2, 5, 7 (node-1, node-2)");
  EXPECT_EQ(named(places, {0, 4, 8, 12}), "ranks 0, 4, 8, 12 (4 hosts)");
  EXPECT_EQ(named(on_hosts({1}), {0}), "rank 0 (node-1)");
}

TEST(NameRanks, AllAreCalledAll) {
  std::vector<int> all(16);
  for (int k = 0; k < 16; ++k) all[static_cast<std::size_t>(k)] = k;
  EXPECT_EQ(named(on_hosts({8, 8}), all), "all 16 ranks");
}

TEST(NameRanks, OfManyRangesTheRestIsCounted) {
  std::vector<int> even;
  for (int k = 0; k < 100; k += 2) even.push_back(k);
  EXPECT_EQ(named(on_hosts({100}), even), "ranks 0, 2, 4, 6, 8, 10, 12, 14 and 42 more (node-1)");
}

TEST(ProblemsFrom, WhatRanksSayAlikeIsSaidOnce) {
  const Places places = on_hosts({2, 2});
  const std::vector<Complaint> complaints{
      {0, "no disk"}, {1, "no GPU"}, {3, "no disk"}, {3, "no disk"}};
  const auto problems = problems_from(places, complaints, Verdict::warning);
  ASSERT_EQ(problems.size(), 2u);
  EXPECT_EQ(problems[0].text, "ranks 0, 3 (node-1, node-2): no disk");
  EXPECT_EQ(problems[0].verdict, Verdict::warning);
  EXPECT_EQ(problems[1].text, "rank 1 (node-1): no GPU");
}

TEST(ProblemsFrom, AThousandRanksAreNotAThousandLines) {
  const Places places = on_hosts({1000});
  std::vector<Complaint> complaints;
  for (int k = 0; k < 1000; ++k) complaints.push_back({k, "trouble " + std::to_string(k)});
  const auto problems = problems_from(places, complaints);
  ASSERT_EQ(problems.size(), 9u);
  EXPECT_EQ(problems[7].text, "rank 7 (node-1): trouble 7");
  EXPECT_EQ(problems[8].text, "and 992 more");
}

TEST(ErrorOf, IsTheMessageWithoutABacktrace) {
  EXPECT_EQ(error_of([] {}), "");
  EXPECT_EQ(error_of([] { throw DataError("shard 3 is damaged"); }), "shard 3 is damaged");
  EXPECT_EQ(error_of([] { TORCH_CHECK(false, "out of memory"); }), "out of memory");
}

}  // namespace
}  // namespace effuse
