#include "report/thinned_log.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace effuse {
namespace {

LogLine line_of(std::int64_t step, double loss) {
  LogLine line;
  line.step = step;
  line.images = 8 * step;
  line.time_s = 1000.0 + static_cast<double>(step);
  line.values[0] = loss;
  return line;
}

TEST(ThinnedLog, KeepsAShortLogLineByLine) {
  ThinnedLog log(4);
  for (const std::int64_t step : {5, 10, 15, 20}) log.add(line_of(step, 0.1 * double(step)));
  ASSERT_EQ(log.stretches().size(), 4U);
  EXPECT_EQ(log.lines_each(), 1);
  for (const LogStretch& stretch : log.stretches()) {
    EXPECT_EQ(stretch.first_step, stretch.last_step);
    EXPECT_EQ(stretch.series[0].mean(), 0.1 * double(stretch.last_step));  // to the bit
  }
}

TEST(ThinnedLog, JoinsPairsWhereThereAreTooMany) {
  ThinnedLog log(4);
  for (std::int64_t step = 1; step <= 7; ++step) log.add(line_of(step, double(step)));
  ASSERT_EQ(log.stretches().size(), 4U);
  EXPECT_EQ(log.lines_each(), 2);
  const LogStretch& first = log.stretches()[0];
  EXPECT_EQ(first.first_step, 1);
  EXPECT_EQ(first.last_step, 2);
  EXPECT_EQ(first.images, 16);
  EXPECT_EQ(first.time_s, 1002.0);
  EXPECT_EQ(first.series[0].mean(), 1.5);
  const LogStretch& last = log.stretches()[3];
  EXPECT_EQ(last.lines, 1);
  EXPECT_EQ(last.series[0].mean(), 7.0);
}

TEST(ThinnedLog, LosesNoExtremeHoweverLongItIs) {
  ThinnedLog log(16);
  constexpr std::int64_t kLines = 10001;
  for (std::int64_t step = 1; step <= kLines; ++step) {
    log.add(line_of(step, step == 6789 ? 1e6 : step == 1234 ? -5.0 : 1.0));
  }
  EXPECT_LE(log.stretches().size(), 16U);
  EXPECT_GE(log.stretches().size(), 8U);
  std::int64_t lines = 0, spikes = 0, dips = 0, next = 1;
  double sum = 0;
  for (const LogStretch& stretch : log.stretches()) {
    EXPECT_EQ(stretch.first_step, next);
    next = stretch.last_step + 1;
    lines += stretch.lines;
    sum += stretch.series[0].sum;
    if (stretch.series[0].greatest == 1e6) {
      ++spikes;
      EXPECT_LE(stretch.first_step, 6789);
      EXPECT_GE(stretch.last_step, 6789);
    }
    dips += stretch.series[0].least == -5.0 ? 1 : 0;
  }
  EXPECT_EQ(lines, kLines);
  EXPECT_EQ(spikes, 1);
  EXPECT_EQ(dips, 1);
  EXPECT_DOUBLE_EQ(sum, double(kLines - 2) + 1e6 - 5.0);
}

TEST(ThinnedLog, AveragesTheLinesThatHaveANumber) {
  ThinnedLog log(2);
  log.add(line_of(1, LogLine::kAbsent));
  log.add(line_of(2, 4.0));
  log.add(line_of(3, LogLine::kAbsent));
  log.add(line_of(4, LogLine::kAbsent));
  ASSERT_EQ(log.stretches().size(), 2U);
  EXPECT_EQ(log.stretches()[0].series[0].count, 1);
  EXPECT_EQ(log.stretches()[0].series[0].mean(), 4.0);
  EXPECT_EQ(log.stretches()[0].series[0].least, 4.0);
  EXPECT_TRUE(std::isnan(log.stretches()[1].series[0].mean()));
}

}  // namespace
}  // namespace effuse
