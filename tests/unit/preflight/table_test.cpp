#include "preflight/table.hpp"

#include <gtest/gtest.h>

#include <sstream>

namespace effuse {
namespace {

const Problem kWarning{Verdict::warning, "half of the cores are idle"};
const Problem kFailure{Verdict::failed, "the disk is full"};

TEST(Finding, ItsVerdictIsThatOfTheGravestProblem) {
  EXPECT_EQ((Finding{.check = "a"}).verdict(), Verdict::ok);
  EXPECT_EQ((Finding{.check = "a", .is_left_out = true}).verdict(), Verdict::left_out);
  EXPECT_EQ((Finding{.check = "a", .problems = {kWarning}}).verdict(), Verdict::warning);
  EXPECT_EQ((Finding{.check = "a", .problems = {kFailure, kWarning}}).verdict(), Verdict::failed);
}

TEST(Table, ARowHasCheckStateAndResult) {
  EXPECT_EQ(table_head(), "check       state     result\n");
  EXPECT_EQ(table_row({.check = "disk", .result = "3 GiB free"}),
            "disk        ok        3 GiB free\n");
  EXPECT_EQ(table_row({.check = "data", .result = "not set", .is_left_out = true}),
            "data        left out  not set\n");
}

TEST(Table, ProblemsStandBelowAndWarningsBesideFailuresAreCalledSo) {
  EXPECT_EQ(table_row({.check = "disk", .result = "0 B free", .problems = {kFailure, kWarning}}),
            "disk        FAILED    0 B free\n"
            "                      the disk is full\n"
            "                      warning: half of the cores are idle\n");
  EXPECT_EQ(table_row({.check = "cores", .result = "1", .problems = {kWarning}}),
            "cores       warning   1\n"
            "                      half of the cores are idle\n");
}

TEST(Table, LongTextsAreWrappedAndLoseNothing) {
  std::string words;
  for (int i = 0; i < 60; ++i) words += (i == 0 ? "word" : " word") + std::to_string(i);
  const std::string row =
      table_row({.check = "disk", .result = "x", .problems = {{Verdict::failed, words}}});
  std::istringstream lines(row);
  std::string rejoined;
  int below = 0;
  for (std::string line; std::getline(lines, line); ++below) {
    EXPECT_LE(line.size(), 100u);
    if (below > 0) rejoined += (rejoined.empty() ? "" : " ") + line.substr(22);
  }
  EXPECT_EQ(rejoined, words);
  EXPECT_GT(below, 4);
}

TEST(Table, TheConclusionCounts) {
  const Finding good{.check = "a"};
  const Finding warned{.check = "b", .problems = {kWarning, kWarning}};
  const Finding failed{.check = "c", .problems = {kFailure, kWarning}};
  const auto conclusion = [](const std::vector<Finding>& all) { return table_conclusion(all); };
  EXPECT_EQ(conclusion({good, good}), "fit to train\n");
  EXPECT_EQ(conclusion({good, warned}), "fit to train (1 warning)\n");
  EXPECT_EQ(conclusion({warned, warned}), "fit to train (2 warnings)\n");
  EXPECT_EQ(conclusion({good, warned, failed}), "not fit: 1 check failed\n");
  EXPECT_EQ(conclusion({failed, failed}), "not fit: 2 checks failed\n");
}

}  // namespace
}  // namespace effuse
