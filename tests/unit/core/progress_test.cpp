#include "core/progress.hpp"

#include <gtest/gtest.h>

#include <regex>
#include <string>

namespace effuse {
namespace {

Progress::Options options_for(ProgressStyle style) {
  Progress::Options options;
  options.task = "pack";
  options.unit = "images";
  options.total = 2000;
  options.style = style;
  options.line_interval_s = 0.0;
  return options;
}

TEST(Progress, WritesPlainLinesToALog) {
  testing::internal::CaptureStderr();
  {
    Progress progress(options_for(ProgressStyle::lines));
    progress.update(1000, "3 damaged");
    progress.update(2000);
    progress.finish();
  }
  const std::string text = testing::internal::GetCapturedStderr();
  const std::regex expected(
      "pack  1,000/2,000 images  50% \\| 3 damaged \\| [^\n]+ left\n"
      "pack  2,000/2,000 images  100% \\| [^\n]+\n");
  EXPECT_TRUE(std::regex_match(text, expected)) << text;
  EXPECT_EQ(text.find('\r'), std::string::npos);
}

TEST(Progress, WritesAtMostOneLineInAnInterval) {
  testing::internal::CaptureStderr();
  {
    Progress::Options options = options_for(ProgressStyle::lines);
    options.line_interval_s = 3600;
    Progress progress(options);
    for (std::uint64_t i = 0; i < 2000; ++i) progress.update(i);
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST(Progress, LeavesTheLineOnATerminalWhenItIsOver) {
  testing::internal::CaptureStderr();
  {
    Progress progress(options_for(ProgressStyle::redraw));
    progress.update(2000);
    progress.finish();
    progress.finish();
  }
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_TRUE(text.starts_with("\r\033[Kpack  2,000/2,000 images  100%")) << text;
  EXPECT_TRUE(text.ends_with("\n"));
  EXPECT_EQ(text.find('\n'), text.size() - 1);
}

TEST(Progress, OfOtherRanksIsSilent) {
  EXPECT_EQ(progress_style(1), ProgressStyle::silent);
  testing::internal::CaptureStderr();
  {
    Progress progress(options_for(ProgressStyle::silent));
    progress.update(1000);
    progress.finish();
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST(Progress, OfAContinuedRunCountsFromWhereItBegan) {
  testing::internal::CaptureStderr();
  {
    Progress::Options options = options_for(ProgressStyle::lines);
    options.start = 1500;
    Progress progress(options);
    progress.update(1500);  // nothing done here yet: no rate, so no time left
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "pack  1,500/2,000 images  75%\n");
}

TEST(Progress, OfNothingToDoIsDone) {
  testing::internal::CaptureStderr();
  {
    Progress::Options options = options_for(ProgressStyle::lines);
    options.total = 0;
    Progress(options).finish();
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "pack  0/0 images  100% | 0 s\n");
}

}  // namespace
}  // namespace effuse
