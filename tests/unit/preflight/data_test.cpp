#include "preflight/data.hpp"

#include <gtest/gtest.h>

#include "hosts.hpp"
#include "preflight/shard_share.hpp"
#include "support/temporary_folder.hpp"
#include "unit/shards/example.hpp"

namespace effuse {
namespace {

constexpr std::int64_t kImages = 23;  // five shards, the last of three images
constexpr std::uint64_t kImageBytes = kSide * kSide * 3;

class ShardShareTest : public ::testing::Test {
 protected:
  ShardShareTest() : manifest_(write_example_dataset(folder_.path(), kImages)) {}

  ShareResult read(int rank, int world_size, Opening opening = Opening::own_share) {
    ShardShare share(folder_.path(), manifest_, rank, world_size, opening);
    while (!share.work(0)) {
    }
    EXPECT_EQ(share.done_bytes(), share.total_bytes());
    return share.result();
  }

  std::filesystem::path shard(std::size_t number) { return folder_ / shard_file_name(number); }

  TemporaryFolder folder_;
  Manifest manifest_;
};

TEST_F(ShardShareTest, TheRanksTogetherReadEachImageOnce) {
  for (const int ranks : {1, 2, 3, 7}) {
    std::int64_t images = 0;
    for (int rank = 0; rank < ranks; ++rank) {
      const ShareResult result = read(rank, ranks);
      EXPECT_TRUE(result.problems.empty()) << result.problems.front();
      EXPECT_EQ(result.bytes, kImageBytes * static_cast<std::uint64_t>(result.images));
      images += result.images;
    }
    EXPECT_EQ(images, kImages) << ranks << " ranks";
  }
}

TEST_F(ShardShareTest, WorkGoesOnWhereItStopped) {
  ShardShare share(folder_.path(), manifest_, 0, 1, Opening::all);
  EXPECT_FALSE(share.work(0)) << "one thing at a time";
  EXPECT_EQ(share.done_bytes(), 0u);
  EXPECT_FALSE(share.work(0));
  EXPECT_EQ(share.done_bytes(), kImageBytes);
  EXPECT_TRUE(share.work(1e9));
  EXPECT_EQ(share.done_bytes(), kImageBytes * kImages);
  EXPECT_TRUE(share.work(1e9));
}

TEST_F(ShardShareTest, ADamagedImageIsFoundByTheRankThatReadsIt) {
  flip_byte(shard(1), offset_of(shard(1), 7));
  flip_byte(shard(1), offset_of(shard(1), 9));
  EXPECT_TRUE(read(0, 2).problems.empty());
  const ShareResult result = read(1, 2);
  ASSERT_EQ(result.problems.size(), 1u);
  EXPECT_TRUE(contains(result.problems[0],
                       shard(1).string() + " has 2 damaged images, the first is image 2 (CRC-32C"))
      << result.problems[0];
}

TEST_F(ShardShareTest, MissingAndTruncatedShardsAreNamedAndTheOthersRead) {
  std::filesystem::remove(shard(0));
  std::filesystem::resize_file(shard(2), 100);
  const ShareResult result = read(0, 1);
  ASSERT_EQ(result.problems.size(), 2u);
  EXPECT_TRUE(contains(result.problems[0], "shard-00000.h5 cannot be found")) << result.problems[0];
  EXPECT_TRUE(contains(result.problems[1], "has 100 bytes instead of")) << result.problems[1];
  EXPECT_EQ(result.images, kImages - 2 * kShardRows);
}

TEST_F(ShardShareTest, ARankThatOpensAllSeesWhatIsMissingElsewhere) {
  std::filesystem::remove(shard(1));
  EXPECT_TRUE(read(0, 2, Opening::own_share).problems.empty());
  EXPECT_EQ(read(0, 2, Opening::all).problems, read(1, 2).problems)
      << "said alike, so that it is shown once";
}

DataFacts sound(const std::string& fingerprint = "f") {
  DataFacts facts;
  facts.fingerprint = fingerprint;
  facts.images = 100;
  facts.shards = 4;
  facts.files_allowed = 1024;
  facts.share.images = 50;
  facts.share.bytes = 10 << 20;
  facts.share.seconds = 0.5;
  return facts;
}

TEST(JudgeData, RatesOfTheRanksAddUp) {
  const Finding finding = judge_data(on_hosts({2}), {sound(), sound()});
  EXPECT_EQ(finding.verdict(), Verdict::ok);
  EXPECT_EQ(finding.result, "100 of 100 images read, in 4 shards, at 40 MiB/s together");
}

TEST(JudgeData, AnotherDataSetIsNamed) {
  const Finding finding = judge_data(on_hosts({2, 2}), {sound(), sound(), sound("g"), sound("g")});
  EXPECT_EQ(finding.verdict(), Verdict::failed);
  EXPECT_SAYS(finding, "ranks 2-3 (node-2): the data set is not that of rank 0");
}

TEST(JudgeData, DamageIsNamedOnceAndRanksWithoutManifestBesideIt) {
  DataFacts damaged = sound(), blind;
  damaged.share.problems = {"shard 3 is damaged"};
  damaged.share.more_problems = 7;
  blind.error = "no such folder";
  const Finding finding = judge_data(on_hosts({3}), {damaged, damaged, blind});
  EXPECT_SAYS(finding, "ranks 0-1 (node-1): shard 3 is damaged");
  EXPECT_SAYS(finding, "ranks 0-1 (node-1): 7 more shards");
  EXPECT_SAYS(finding, "rank 2 (node-1): no such folder");
}

TEST(JudgeData, MoreShardsThanFilesAllowedFail) {
  DataFacts many = sound();
  many.shards = 1000;
  EXPECT_SAYS(judge_data(on_hosts({1}), {many}), "a process may have 1024 files open");
}

TEST(JudgeData, LeftOutItSaysHowToHaveIt) {
  EXPECT_EQ(data_left_out().verdict(), Verdict::left_out);
  EXPECT_TRUE(contains(data_left_out().result, "--data"));
}

}  // namespace
}  // namespace effuse
