#include "metrics/jsonl.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <limits>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "core/error.hpp"
#include "core/files.hpp"
#include "support/small_disk.hpp"
#include "support/temporary_folder.hpp"

namespace effuse::metrics {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kAll = std::numeric_limits<std::int64_t>::max();

JsonFields step(std::int64_t number) { return {{"step", number}}; }

/// What remains of a file of `text` when it is opened at a step.
std::string cut(const std::string& text, std::int64_t at_step) {
  const TemporaryFolder folder;
  std::ofstream(folder / "train.jsonl") << text;
  testing::internal::CaptureStderr();
  { const JsonlWriter writer(folder / "train.jsonl", at_step); }
  testing::internal::GetCapturedStderr();
  return read_file(folder / "train.jsonl");
}

TEST(Jsonl, WritesFieldsInTheirOrder) {
  const TemporaryFolder folder;
  const fs::path file = folder / "metrics/train.jsonl";
  JsonlWriter writer(file, 0);
  writer.write({{"step", std::int64_t{50}},
                {"loss", 0.1},
                {"lr", 2.0},
                {"skipped", false},
                {"note", std::string("a \"b\"\n")}});
  EXPECT_EQ(
      read_file(file),
      "{\"step\":50,\"loss\":0.1,\"lr\":2.0,\"skipped\":false,\"note\":\"a \\\"b\\\"\\n\"}\n");
}

TEST(Jsonl, DoublesReadBackAsTheSameNumber) {
  const TemporaryFolder folder;
  for (const double value :
       {0.1 + 0.2, 1.0 / 3.0, 1e-300, 123456789.123456789, -0.0,
        std::numeric_limits<double>::denorm_min(), std::numeric_limits<double>::max()}) {
    const fs::path file = folder / "a.jsonl";
    fs::remove(file);
    JsonlWriter writer(file, 0);
    writer.write({{"step", std::int64_t{0}}, {"x", value}});
    const std::string text = read_file(file);
    EXPECT_EQ(std::strtod(text.c_str() + text.find("x\":") + 3, nullptr), value) << text;
  }
}

TEST(Jsonl, WhatIsNoNumberIsNull) {
  const TemporaryFolder folder;
  JsonlWriter writer(folder / "a.jsonl", 0);
  writer.write({{"step", std::int64_t{1}},
                {"loss", std::numeric_limits<double>::quiet_NaN()},
                {"norm", std::numeric_limits<double>::infinity()}});
  EXPECT_EQ(read_file(folder / "a.jsonl"), "{\"step\":1,\"loss\":null,\"norm\":null}\n");
}

TEST(Jsonl, ALineIsThereAsSoonAsItIsWritten) {
  const TemporaryFolder folder;
  JsonlWriter writer(folder / "a.jsonl", 0);
  writer.write(step(1));
  EXPECT_EQ(read_file(folder / "a.jsonl"), "{\"step\":1}\n");
  writer.write(step(2));
  writer.sync();
  EXPECT_EQ(read_file(folder / "a.jsonl"), "{\"step\":1}\n{\"step\":2}\n");
}

TEST(Jsonl, IsCutBackToTheStepAndGoesOnFromThere) {
  const TemporaryFolder folder;
  const fs::path file = folder / "a.jsonl";
  {
    JsonlWriter writer(file, 0);
    for (const std::int64_t number : {10, 20, 30}) writer.write(step(number));
  }
  JsonlWriter writer(file, 20);
  EXPECT_EQ(read_file(file), "{\"step\":10}\n{\"step\":20}\n");
  writer.write(step(25));
  EXPECT_EQ(read_file(file), "{\"step\":10}\n{\"step\":20}\n{\"step\":25}\n");
}

TEST(Jsonl, ATornLastLineIsDropped) {
  EXPECT_EQ(cut("{\"step\":1}\n{\"step\":2,\"lo", kAll), "{\"step\":1}\n");
  EXPECT_EQ(cut("{\"step\":1}\n{\"step\":2}", kAll), "{\"step\":1}\n");
  EXPECT_EQ(cut("{\"ste", kAll), "");
}

TEST(Jsonl, LinesThatAreNoneOfOursAreDropped) {
  EXPECT_EQ(
      cut("{\"step\":1}\nnonsense\n[1]\n{\"loss\":1}\n{\"step\":\"2\"}\n\n{\"step\":3}\n", kAll),
      "{\"step\":1}\n{\"step\":3}\n");
}

TEST(Jsonl, DroppingDamageIsSaid) {
  const TemporaryFolder folder;
  std::ofstream(folder / "a.jsonl") << "{\"step\":1}\n{\"ste";
  testing::internal::CaptureStderr();
  { const JsonlWriter writer(folder / "a.jsonl", 5); }
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "warning: " + (folder / "a.jsonl").string() +
                ": dropped 1 line(s) that were cut short or damaged\n");
}

TEST(Jsonl, AFileThatNeedsNoCutIsLeftAlone) {
  const TemporaryFolder folder;
  std::ofstream(folder / "a.jsonl") << "{\"step\":1}\n";
  const auto before = fs::last_write_time(folder / "a.jsonl");
  { const JsonlWriter writer(folder / "a.jsonl", 1); }
  EXPECT_EQ(fs::last_write_time(folder / "a.jsonl"), before);
}

TEST(Jsonl, ALineWithoutAStepIsRefused) {
  const TemporaryFolder folder;
  JsonlWriter writer(folder / "a.jsonl", 0);
  EXPECT_THROW(writer.write({{"loss", 1.0}}), Error);
  EXPECT_THROW(writer.write({{"step", 1.0}}), Error);
  EXPECT_EQ(read_file(folder / "a.jsonl"), "");
}

/// A line that needs a page of the disk to itself.
JsonFields long_step(std::int64_t number) {
  return {{"step", number}, {"text", std::string(5000, 'x')}};
}

std::vector<std::string> beginnings_of_lines(const fs::path& file) {
  std::ifstream in(file);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line.substr(0, 10));
  return lines;
}

TEST(Jsonl, AFullDiskKeepsLinesUntilThereIsRoom) {
  const SmallDisk disk(64 * 1024);
  if (!disk.is_mounted()) GTEST_SKIP() << "NOT TESTED: mounting a small disk needs root";
  const fs::path file = disk.path() / "a.jsonl";
  JsonlWriter writer(file, 0);
  writer.write(step(1));
  std::ofstream(disk.path() / "filler") << std::string(100'000, 'x');
  for (const std::int64_t number : {2, 3}) {
    writer.write(long_step(number));
    EXPECT_EQ(read_file(file), "{\"step\":1}\n") << "no part of a line stays";
  }
  try {
    writer.sync();
    ADD_FAILURE() << "what is not written cannot be flushed";
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code(), std::errc::no_space_on_device) << error.what();
  }
  fs::remove(disk.path() / "filler");
  writer.write(step(4));
  writer.sync();
  EXPECT_EQ(beginnings_of_lines(file), (std::vector<std::string>{"{\"step\":1}", "{\"step\":2,",
                                                                 "{\"step\":3,", "{\"step\":4}"}));
}

TEST(Jsonl, SeveralThreadsWriteAndFlushWholeLines) {
  const TemporaryFolder folder;
  constexpr int kLines = 200;
  JsonlWriter writer(folder / "a.jsonl", 0);
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 3; ++thread) {
      threads.emplace_back([&writer] {
        for (int i = 0; i < kLines; ++i) writer.write(long_step(1));
      });
    }
    threads.emplace_back([&writer] {
      for (int i = 0; i < 5; ++i) writer.sync();
    });
  }
  const std::string text = read_file(folder / "a.jsonl");
  const std::size_t length = text.find('\n') + 1;
  ASSERT_EQ(text.size(), 3 * kLines * length);
  for (std::size_t at = length; at < text.size(); at += length) {
    ASSERT_EQ(text.compare(at, length, text, 0, length), 0) << "line " << at / length;
  }
}

}  // namespace
}  // namespace effuse::metrics
