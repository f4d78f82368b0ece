#include "evaluation/statistics_file.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <span>

#include "core/error.hpp"
#include "evaluation/evaluation_input.hpp"
#include "evaluation/statistics_cache.hpp"
#include "npz/npz_writer.hpp"
#include "support/error_message.hpp"
#include "support/temporary_folder.hpp"

namespace effuse {
namespace {

const FeatureOrigin kOrigin{"inception-2015-12-05", "abcdef0123456789abcdef", "clean"};

Moments some_moments(std::uint64_t seed) {
  at::manual_seed(seed);
  Moments moments(4);
  moments.add(at::randn({12, 4}, at::kDouble));
  return moments;
}

/// As another program writes them: mu and sigma alone.
void write_plain(const std::filesystem::path& file, const ArrayInfo& mu, const ArrayInfo& sigma) {
  NpzWriter writer(file);
  for (const auto& [name, info] : {std::pair{"mu", mu}, std::pair{"sigma", sigma}}) {
    const std::vector<std::byte> bytes(info.size_bytes());
    writer.add(name, info, bytes);
  }
  writer.commit();
}

class StatisticsFileTest : public ::testing::Test {
 protected:
  std::string refusal(const std::vector<std::string>& paths) const {
    return message_of<Error>([&] { merge_statistics(open_input(paths, "images")); });
  }

  TemporaryFolder folder_;
  std::filesystem::path file_ = folder_ / "a.npz";
};

TEST_F(StatisticsFileTest, AreReadBack) {
  const Moments moments = some_moments(1);
  write_statistics(file_, moments, kOrigin, "fingerprint");
  ASSERT_TRUE(holds_statistics(file_));
  const Statistics statistics = read_statistics(file_);
  EXPECT_EQ(statistics.origin, kOrigin);
  EXPECT_EQ(statistics.images, "fingerprint");
  EXPECT_EQ(statistics.gaussian.count, 12);
  EXPECT_TRUE(at::equal(statistics.gaussian.covariance, moments.gaussian().covariance));
  EXPECT_TRUE(at::equal(statistics.moments->outer_sum(), moments.outer_sum()));
}

TEST_F(StatisticsFileTest, OfPartsAddUp) {
  Moments whole = some_moments(1);
  write_statistics(file_, whole, kOrigin, "");
  write_statistics(folder_ / "b.npz", some_moments(2), kOrigin, "");
  whole.add(some_moments(2));
  const EvaluationInput input = open_input({file_, folder_ / "b.npz"}, "images");
  EXPECT_EQ(input.images, nullptr);
  const Statistics merged = merge_statistics(input);
  EXPECT_EQ(merged.gaussian.count, 24);
  EXPECT_TRUE(at::equal(merged.gaussian.covariance, whole.gaussian().covariance));
}

TEST_F(StatisticsFileTest, OfAnotherProgramAreReadButNotAdded) {
  write_plain(file_, {ArrayType::fp32, {4}}, {ArrayType::fp64, {4, 4}});
  const Statistics statistics = read_statistics(file_);
  EXPECT_FALSE(statistics.origin);
  EXPECT_EQ(statistics.gaussian.mean.scalar_type(), at::kDouble);
  write_statistics(folder_ / "b.npz", some_moments(2), kOrigin, "");
  EXPECT_NE(refusal({file_, folder_ / "b.npz"}).find("a.npz has no count, sum and outer_sum"),
            std::string::npos);
}

TEST_F(StatisticsFileTest, OfOtherNetworksAreRefused) {
  write_statistics(file_, some_moments(1), kOrigin, "");
  FeatureOrigin other = kOrigin;
  other.convention = "legacy-pytorch";
  write_statistics(folder_ / "b.npz", some_moments(2), other, "");
  EXPECT_NE(refusal({file_, folder_ / "b.npz"}).find("b.npz holds statistics of another network"),
            std::string::npos);
  const Statistics statistics = read_statistics(file_);
  EXPECT_THROW(require_same_features(statistics, file_, other, 4), DataError);
  EXPECT_THROW(require_same_features(statistics, file_, kOrigin, 2048), DataError);
  EXPECT_NO_THROW(require_same_features(statistics, file_, kOrigin, 4));
}

TEST_F(StatisticsFileTest, OfShapesThatCannotBeAreRefused) {
  write_plain(file_, {ArrayType::fp64, {4}}, {ArrayType::fp64, {4, 5}});
  EXPECT_NE(message_of<DataError>([&] { read_statistics(file_); }).find("sigma [4, 5] float64"),
            std::string::npos);
  write_plain(file_, {ArrayType::int64, {4}}, {ArrayType::fp64, {4, 4}});
  EXPECT_THROW(read_statistics(file_), DataError);
}

TEST_F(StatisticsFileTest, InACacheAreFoundForTheSameImagesAndNetwork) {
  const StatisticsCache cache(folder_.path(), kOrigin, "these images");
  EXPECT_FALSE(cache.find());
  cache.keep(some_moments(1));
  EXPECT_EQ(cache.file().filename(), "abcdef0123456789-clean.npz");
  ASSERT_TRUE(cache.find());
  EXPECT_EQ(cache.find()->count(), 12);
  EXPECT_FALSE(StatisticsCache(folder_.path(), kOrigin, "others").find());
  std::filesystem::resize_file(cache.file(), 100);
  EXPECT_FALSE(cache.find());
}

}  // namespace
}  // namespace effuse
