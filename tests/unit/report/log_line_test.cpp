#include "report/log_line.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

namespace effuse {
namespace {

bool parse(const std::string& text, LogLine& line) { return LogLineParser().parse(text, line); }

double value(const LogLine& line, const char* name) {
  const auto found = std::ranges::find_if(
      kLogSeries, [&](const char* other) { return std::string(name) == other; });
  return line.values[static_cast<std::size_t>(found - kLogSeries.begin())];
}

TEST(LogLine, HasTheNumbersOfItsFields) {
  LogLine line;
  ASSERT_TRUE(parse(R"({"step":20,"images":640,"epoch":0,"loss":0.050637150183320045,)"
                    R"("grad_norm":1,"lr":4e-05,"good":true,"time_s":1796063873.07,)"
                    R"("update_s":0.004,"timestep_loss":[0.5,null,2]})",
                    line));
  EXPECT_EQ(line.step, 20);
  EXPECT_EQ(line.images, 640);
  EXPECT_TRUE(line.good);
  EXPECT_EQ(line.time_s, 1796063873.07);
  EXPECT_EQ(value(line, "loss"), 0.050637150183320045);
  EXPECT_EQ(value(line, "grad_norm"), 1.0);
  EXPECT_EQ(value(line, "lr"), 4e-05);
  EXPECT_EQ(value(line, "update_s"), 0.004);
  EXPECT_TRUE(std::isnan(value(line, "images_per_s")));
  EXPECT_EQ(line.values[kLogSeries.size()], 0.5);
  EXPECT_TRUE(std::isnan(line.values[kLogSeries.size() + 1]));
  EXPECT_EQ(line.values[kLogSeries.size() + 2], 2.0);
  EXPECT_TRUE(std::isnan(line.values[kLogSeries.size() + 3]));
}

TEST(LogLine, OfABadStepHasNoLoss) {
  LogLine line;
  ASSERT_TRUE(parse(R"({"step":3,"loss":null,"grad_norm":null,"good":false})", line));
  EXPECT_FALSE(line.good);
  EXPECT_TRUE(std::isnan(value(line, "loss")));
  EXPECT_TRUE(std::isnan(line.time_s));
}

TEST(LogLine, KeepsNothingOfTheLineBefore) {
  LogLineParser parser;
  LogLine line;
  ASSERT_TRUE(parser.parse(R"({"step":3,"loss":1,"good":false,"time_s":5})", line));
  ASSERT_TRUE(parser.parse(R"({"step":4})", line));
  EXPECT_TRUE(line.good);
  EXPECT_TRUE(std::isnan(value(line, "loss")));
  EXPECT_TRUE(std::isnan(line.time_s));
}

TEST(LogLine, PassesOverWhatItDoesNotKnow) {
  LogLine line;
  EXPECT_TRUE(
      parse(R"({"extra":{"step":7,"loss":[1]},"step":2,"more":"x","timestep_loss":3})", line));
  EXPECT_EQ(line.step, 2);
  EXPECT_TRUE(std::isnan(value(line, "loss")));
  std::string many = R"({"step":1,"timestep_loss":[0)";
  for (int i = 0; i < 30; ++i) many += ",9";
  EXPECT_TRUE(parse(many + "]}", line));
}

TEST(LogLine, IsRefusedWhereItIsNotWhole) {
  LogLine line;
  const std::string whole = R"({"step":20,"loss":0.5,"timestep_loss":[1,2]})";
  ASSERT_TRUE(parse(whole, line));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(parse(whole.substr(0, size), line)) << whole.substr(0, size);
  }
  for (const char* text : {"", "7", "[]", "{}", R"({"loss":1})", R"({"step":"3"})",
                           R"({"step":null})", R"({"step":1} {"step":2})", "\x80\x81"}) {
    EXPECT_FALSE(parse(text, line)) << text;
  }
}

}  // namespace
}  // namespace effuse
