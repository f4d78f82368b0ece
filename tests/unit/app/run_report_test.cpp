#include "app/run_report.hpp"

#include <gtest/gtest.h>

#include <string>

#include "core/files.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "support/temporary_folder.hpp"

namespace effuse {
namespace {

std::string said_by(RunReport& report) {
  testing::internal::CaptureStderr();
  report.write();
  log::configure({});  // flushes
  return testing::internal::GetCapturedStderr();
}

TEST(RunReport, IsAnnouncedOnlyWhereItIs) {
  const TemporaryFolder folder;
  const std::filesystem::path place = folder / "report.html";
  RunReport report(folder.path());
  write_file_atomically(folder / "config.toml", "[run\n");
  const std::string refused = said_by(report);
  EXPECT_TRUE(refused.starts_with("warning: no report.html: ")) << refused;
  EXPECT_EQ(refused.find("report      "), refused.npos) << refused;
  EXPECT_FALSE(std::filesystem::exists(place));

  write_file_atomically(folder / "config.toml", "");
  EXPECT_EQ(said_by(report), cat("report      ", place.string(), "\n"));
  EXPECT_TRUE(std::filesystem::exists(place));

  write_file_atomically(folder / "config.toml", "[run\n");
  const std::string old = said_by(report);
  EXPECT_TRUE(old.starts_with("warning: report.html is not of now: ")) << old;
  EXPECT_EQ(old.find("report      "), old.npos) << old;
}

}  // namespace
}  // namespace effuse
