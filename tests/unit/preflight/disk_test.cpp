#include "preflight/disk.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <system_error>

#include "core/error.hpp"
#include "hosts.hpp"
#include "preflight/folder.hpp"
#include "support/error_message.hpp"
#include "support/small_disk.hpp"
#include "support/temporary_folder.hpp"

namespace effuse {
namespace {

constexpr std::uint64_t kGib = std::uint64_t{1} << 30;
constexpr DiskWishes kWishes{64 << 20, kGib};

TEST(NearestFolder, IsTheFolderOrTheOneItWillBeMadeIn) {
  const TemporaryFolder folder;
  EXPECT_EQ(nearest_folder(folder.path()), folder.path());
  EXPECT_EQ(nearest_folder(folder / "runs/"), folder.path());
  EXPECT_EQ(nearest_folder(folder / "a/b/c"), folder.path());
  EXPECT_EQ(nearest_folder("runs"), std::filesystem::current_path());
}

TEST(NearestFolder, RefusesAFileInTheWay) {
  const TemporaryFolder folder;
  std::ofstream(folder / "file") << "x";
  EXPECT_TRUE(contains(message_of<ConfigError>([&] { nearest_folder(folder / "file/runs"); }),
                       (folder / "file").string() + " is a file"));
}

TEST(JudgeFolder, RanksThatDoNotSeeTheMarkAreNamed) {
  const std::vector<FolderFacts> facts{
      {"", "/shared", true}, {"", "/shared", true}, {"", "/local", false}, {"", "/local", false}};
  const Finding finding = judge_folder(on_hosts({2, 2}), "/shared", facts);
  EXPECT_EQ(finding.verdict(), Verdict::failed);
  EXPECT_SAYS(finding,
              "ranks 2-3 (node-2): what rank 0 writes in /shared cannot be read here, in "
              "/local");
}

TEST(JudgeFolder, WhereRank0CannotWriteTheOthersAreNotBlamed) {
  const std::vector<FolderFacts> facts{{"cannot write", "", false}, {"", "/shared", false}};
  const Finding finding = judge_folder(on_hosts({2}), "/shared", facts);
  ASSERT_EQ(finding.problems.size(), 1u);
  EXPECT_SAYS(finding, "rank 0 (node-1): cannot write");
}

TEST(TryWriting, TakesTimeAndLeavesNothing) {
  const TemporaryFolder folder;
  EXPECT_GT(try_writing(folder.path(), (3 << 20) + 5), 0.0);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(TryWriting, SaysWhyItCannot) {
  EXPECT_TRUE(contains(message_of<std::system_error>([] { try_writing("/proc", 1); }),
                       "cannot write in /proc: "));
}

TEST(TryWriting, AFullDiskIsAnErrorAndLeavesNothing) {
  const SmallDisk disk(2 << 20);
  if (!disk.is_mounted()) GTEST_SKIP() << "mounting a small file system needs privileges";
  EXPECT_TRUE(contains(message_of<std::system_error>([&] { try_writing(disk.path(), 8 << 20); }),
                       "No space left"));
  EXPECT_TRUE(std::filesystem::is_empty(disk.path()));
}

TEST(JudgeDisk, RatesAreThoseOfTheRanksThatWroteAll) {
  const DiskFacts writer{"", 10 * kGib, 64 << 20, 0.5}, other{"", 10 * kGib, 4096, 0.1},
      slower{"", 9 * kGib, 64 << 20, 1.0};
  EXPECT_EQ(judge_disk(on_hosts({2}), "runs", kWishes, {writer, other}).result,
            "10.0 GiB free, writes 128 MiB/s (64.0 MiB)");
  EXPECT_EQ(judge_disk(on_hosts({2, 2}), "runs", kWishes, {writer, other, slower, other}).result,
            "9.0 GiB free, writes 64 MiB/s to 128 MiB/s (64.0 MiB from one rank of each of 2 hosts "
            "at once)");
}

TEST(JudgeDisk, LowSpaceAndErrorsFailTheirRanks) {
  const DiskFacts good{"", 10 * kGib, 64 << 20, 0.5}, low{"", kGib / 2, 0, 0},
      broken{"cannot write in runs: Permission denied", 10 * kGib, 0, 0};
  const Finding finding = judge_disk(on_hosts({1, 1, 1}), "runs", kWishes, {good, low, broken});
  EXPECT_EQ(finding.verdict(), Verdict::failed);
  EXPECT_SAYS(finding, "rank 1 (node-2): 512.0 MiB free in runs, less than 1.0 GiB");
  EXPECT_SAYS(finding, "rank 2 (node-3): cannot write in runs: Permission denied");
  EXPECT_EQ(finding.problems.size(), 2u);
}

}  // namespace
}  // namespace effuse
