#include "report/training_log.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <system_error>

#include "core/error.hpp"
#include "core/files.hpp"
#include "core/text.hpp"
#include "support/error_message.hpp"
#include "support/temporary_folder.hpp"

namespace effuse {
namespace {

TrainingLog log_of(const std::string& text, const std::vector<std::int64_t>& steps = {}) {
  const TemporaryFolder folder;
  write_file_atomically(folder / "train.jsonl", text);
  std::vector<Restart> restarts;
  for (const std::int64_t step : steps) restarts.push_back({.after_step = step});
  return read_training_log(folder / "train.jsonl", restarts);
}

std::string line(int step, double time_s) {
  return cat("{\"step\":", step, ",\"loss\":1,\"time_s\":", time_s, "}\n");
}

TEST(TrainingLog, IsEmptyWithoutAFileAndWithAnEmptyOne) {
  const TemporaryFolder folder;
  EXPECT_EQ(read_training_log(folder / "absent.jsonl", {}).lines, 0);
  EXPECT_EQ(log_of("").lines, 0);
}

TEST(TrainingLog, LeavesOutALineThatIsBeingWritten) {
  const TrainingLog log = log_of("{\"step\":1,\"loss\":2}\n{\"step\":2,\"lo");
  EXPECT_EQ(log.lines, 1);
  EXPECT_EQ(log.last.step, 1);
  EXPECT_EQ(log.damaged_lines, 0);
  EXPECT_EQ(log_of("{\"step\":1").lines, 0);
}

TEST(TrainingLog, CountsDamagedLinesAndStepsThatGoBack) {
  const TrainingLog log =
      log_of("{\"step\":1}\nnonsense\n{\"step\":5}\n{\"step\":4}\n{\"step\":6}\n");
  EXPECT_EQ(log.lines, 3);
  EXPECT_EQ(log.damaged_lines, 1);
  EXPECT_EQ(log.late_lines, 1);
  EXPECT_EQ(log.last.step, 6);
}

TEST(TrainingLog, WithoutOneGoodLineIsRefused) {
  const std::string message = message_of<DataError>([] { log_of("a\nb\nc\n"); });
  EXPECT_NE(message.find("train.jsonl is damaged: none of its 3 lines"), std::string::npos)
      << message;
  EXPECT_NE(message.find("backup"), std::string::npos) << message;
  const std::string of_one = message_of<DataError>([] { log_of("a\n"); });
  EXPECT_NE(of_one.find("is damaged: its only line is no JSON object"), std::string::npos)
      << of_one;
}

TEST(TrainingLog, NamesBadStepsUpToALimit) {
  std::string text;
  for (int step = 1; step <= 300; ++step) {
    text += cat("{\"step\":", step, ",\"good\":", step % 100 == 0 ? "true" : "false", "}\n");
  }
  const TrainingLog log = log_of(text);
  EXPECT_EQ(log.bad_lines, 297);
  ASSERT_EQ(log.bad_steps.size(), TrainingLog::kNamedBadSteps);
  EXPECT_EQ(log.bad_steps.front(), 1);
  EXPECT_EQ(log.bad_steps[99], 101);
}

TEST(TrainingLog, HasTheTimesAroundARestart) {
  const TrainingLog log =
      log_of(line(10, 100) + line(20, 110) + line(30, 500) + line(40, 510), {20, 35, 40});
  ASSERT_EQ(log.restarts.size(), 3U);
  EXPECT_EQ(log.restarts[0].before_s, 110.0);
  EXPECT_EQ(log.restarts[0].after_s, 500.0);
  EXPECT_EQ(log.restarts[1].before_s, 500.0);
  EXPECT_EQ(log.restarts[1].after_s, 510.0);
  EXPECT_EQ(log.restarts[2].before_s, 510.0);
  EXPECT_TRUE(std::isnan(log.restarts[2].after_s));
}

TEST(TrainingLog, OfManyLinesIsReadInBoundedMemory) {
  const TemporaryFolder folder;
  constexpr int kLines = 50000;
  {
    AtomicFile file(folder / "train.jsonl");
    for (int step = 1; step <= kLines; ++step) file.write(line(step, step));
    file.commit();
  }
  const TrainingLog log = read_training_log(folder / "train.jsonl", {});
  EXPECT_EQ(log.lines, kLines);
  EXPECT_EQ(log.curves.lines_each(), 64);
  EXPECT_EQ(log.curves.stretches().size(), (kLines + 63U) / 64U);
}

}  // namespace
}  // namespace effuse
