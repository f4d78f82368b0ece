#include "core/log.hpp"

#include <gtest/gtest.h>

#include <regex>
#include <string>

#include "core/files.hpp"
#include "support/temporary_folder.hpp"

namespace effuse {
namespace {

/// What a rank of two shows on the console for one message of each kind.
std::string console_of(int rank, const std::filesystem::path& file = {}) {
  testing::internal::CaptureStderr();
  log::configure({rank, 2, log::Level::info, file});
  log::debug("detail");
  log::info("packed ", 3, " images");
  log::warning("slow");
  log::local_warning("slow here");
  log::error("broken");
  log::configure({});
  return testing::internal::GetCapturedStderr();
}

TEST(Log, Rank0SpeaksForAll) {
  EXPECT_EQ(console_of(0),
            "packed 3 images\n"
            "warning: slow\n"
            "warning: [rank 0] slow here\n"
            "error: [rank 0] broken\n");
}

TEST(Log, OtherRanksSpeakOnlyForThemselves) {
  EXPECT_EQ(console_of(1),
            "warning: [rank 1] slow here\n"
            "error: [rank 1] broken\n");
}

TEST(Log, TheFileHasEverythingFromEveryRankAndIsAppendedTo) {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder / "logs/rank-0001.log";
  console_of(1, file);
  const std::string once = read_file(file);
  const std::string stamp = "[0-9-]{10} [0-9:.]{15} ";
  const std::regex expected(stamp + "debug   detail\n" + stamp + "info    packed 3 images\n" +
                            stamp + "warning slow\n" + stamp + "warning slow here\n" + stamp +
                            "error   broken\n");
  EXPECT_TRUE(std::regex_match(once, expected)) << once;
  console_of(1, file);
  EXPECT_TRUE(read_file(file).starts_with(once));
  EXPECT_EQ(read_file(file).size(), 2 * once.size());
}

TEST(Log, ARecordIsForTheFileAndReachesTheConsoleOnlyWithoutOne) {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder / "rank-0001.log";
  testing::internal::CaptureStderr();
  log::configure({1, 2, log::Level::info, file});
  log::record("long");
  log::configure({1, 2, log::Level::info, {}});
  log::record("seen");
  log::configure({});
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "[rank 1] seen\n");
  EXPECT_TRUE(read_file(file).ends_with("info    long\n")) << read_file(file);
}

TEST(Log, TheLevelOfTheConsoleIsASetting) {
  testing::internal::CaptureStderr();
  log::Options options;
  options.console_level = log::Level::warning;
  log::configure(options);
  log::info("chatter");
  log::warning("matter");
  log::configure({});
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "warning: matter\n");
}

}  // namespace
}  // namespace effuse
