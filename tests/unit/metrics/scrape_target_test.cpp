#include "metrics/scrape_target.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/files.hpp"
#include "support/temporary_folder.hpp"

namespace effuse::metrics {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

TEST(ScrapeTarget, IsAFileOfPrometheusDiscoveryAsLongAsItLives) {
  const TemporaryFolder folder;
  const fs::path file = folder / "metrics/targets/rank-0000.json";
  {
    const ScrapeTarget target(file, "node7", 41237, {{"run", "faces"}, {"rank", "0"}});
    EXPECT_EQ(Json::parse(read_file(file)), Json::parse(R"([{"targets": ["node7:41237"],
                               "labels": {"run": "faces", "rank": "0"}}])"));
  }
  EXPECT_FALSE(fs::exists(file));
  EXPECT_TRUE(fs::is_empty(file.parent_path()));
}

TEST(ScrapeTarget, PutsIpv6AddressesInBrackets) {
  const TemporaryFolder folder;
  const ScrapeTarget target(folder / "a.json", "::1", 9400, {});
  EXPECT_EQ(Json::parse(read_file(folder / "a.json")),
            Json::parse(R"([{"targets": ["[::1]:9400"], "labels": {}}])"));
}

TEST(ScrapeTarget, ThatCannotBeWrittenIsOnlyAWarning) {
  const TemporaryFolder folder;
  write_file_atomically(folder / "file", "");
  testing::internal::CaptureStderr();
  { const ScrapeTarget target(folder / "file/targets/a.json", "node7", 1, {}); }
  const std::string warning = testing::internal::GetCapturedStderr();
  EXPECT_TRUE(warning.starts_with("warning: no scrape target for Prometheus: ")) << warning;
}

TEST(ScrapeTarget, RemovedBySomeoneElseIsNoTrouble) {
  const TemporaryFolder folder;
  testing::internal::CaptureStderr();
  {
    const ScrapeTarget target(folder / "a.json", "node7", 1, {});
    fs::remove(folder / "a.json");
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

}  // namespace
}  // namespace effuse::metrics
