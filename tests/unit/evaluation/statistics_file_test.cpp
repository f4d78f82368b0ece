#include "evaluation/statistics_file.hpp"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <span>
#include <string>

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

/// The arrays of a file that effuse-evaluate wrote, to be spoilt.
struct Arrays {
  explicit Arrays(const Moments& moments)
      : mu(moments.gaussian().mean.clone()),
        sigma(moments.gaussian().covariance.clone()),
        sum(moments.sum().clone()),
        outer_sum(moments.outer_sum().clone()),
        count(at::scalar_tensor(moments.count(), at::kLong)) {}

  at::Tensor mu, sigma, sum, outer_sum, count;

  void write(const std::filesystem::path& file) const {
    NpzWriter writer(file);
    for (const auto& [name, values] : {std::pair{"mu", mu},
                                       {"sigma", sigma},
                                       {"sum", sum},
                                       {"outer_sum", outer_sum},
                                       {"count", count}}) {
      const at::Tensor plain = values.contiguous();
      writer.add(name, {type_of(plain), plain.sizes().vec()},
                 std::span(static_cast<const std::byte*>(plain.const_data_ptr()), plain.nbytes()));
    }
    writer.add_text("network", kOrigin.network);
    writer.add_text("network_sha256", kOrigin.sha256);
    writer.add_text("convention", kOrigin.convention);
    writer.add_text("images", "these images");
    writer.commit();
  }

  static ArrayType type_of(const at::Tensor& values) {
    switch (values.scalar_type()) {
      case at::kInt:
        return ArrayType::int32;
      case at::kLong:
        return ArrayType::int64;
      case at::kFloat:
        return ArrayType::fp32;
      default:
        return ArrayType::fp64;
    }
  }
};

class StatisticsFileTest : public ::testing::Test {
 protected:
  std::string refusal(const std::vector<std::string>& paths) const {
    return message_of<Error>([&] { merge_statistics(open_input(paths, "images")); });
  }

  /// What is said of a good file of twelve images after `spoil`.
  std::string refusal_of(const std::function<void(Arrays&)>& spoil) const {
    Arrays arrays(some_moments(1));
    spoil(arrays);
    arrays.write(file_);
    const std::string message = message_of<DataError>([&] { read_statistics(file_); });
    EXPECT_TRUE(message.starts_with(file_.string())) << message;
    EXPECT_NE(message.find("Make the file again"), std::string::npos) << message;
    return message.substr(std::min(message.size(), file_.string().size() + 2));
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

TEST_F(StatisticsFileTest, ACountIsAWholeNumberOfImages) {
  using testing::StartsWith;
  const auto of_count = [](const at::Tensor& count) {
    return [count](Arrays& arrays) { arrays.count = count; };
  };
  const auto number = [](double value, at::ScalarType type) {
    return at::scalar_tensor(value, type);
  };
  EXPECT_THAT(refusal_of(of_count(number(0, at::kLong))), StartsWith("count is 0, but"));
  EXPECT_THAT(refusal_of(of_count(number(-12, at::kInt))), StartsWith("count is -12"));
  EXPECT_THAT(refusal_of(of_count(number(12.5, at::kDouble))), StartsWith("count is 12.5"));
  EXPECT_THAT(refusal_of(of_count(number(NAN, at::kDouble))), StartsWith("count is nan"));
  EXPECT_THAT(refusal_of(of_count(number(12, at::kFloat))), StartsWith("count is [] float32"));
  EXPECT_THAT(refusal_of(of_count(at::full({2}, 12, at::kLong))), StartsWith("count is [2] int64"));
  for (const at::ScalarType type : {at::kInt, at::kDouble}) {
    Arrays arrays(some_moments(1));
    arrays.count = number(12, type);
    arrays.write(file_);
    EXPECT_EQ(read_statistics(file_).gaussian.count, 12);
  }
}

TEST_F(StatisticsFileTest, NumbersThatAreNoneAreRefused) {
  for (const auto& [name, array] : {std::pair{"mu", &Arrays::mu},
                                    {"sigma", &Arrays::sigma},
                                    {"sum", &Arrays::sum},
                                    {"outer_sum", &Arrays::outer_sum}}) {
    for (const double value :
         {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
      const std::string message =
          refusal_of([&](Arrays& arrays) { (arrays.*array).view(-1)[3] = value; });
      EXPECT_NE(message.find(std::string(" numbers of ") + name + " are NaN or infinite"),
                std::string::npos)
          << message;
    }
  }
}

TEST_F(StatisticsFileTest, SumsOfOtherShapesAreRefused) {
  using testing::StartsWith;
  EXPECT_THAT(refusal_of([](Arrays& arrays) { arrays.sum = at::ones({5}, at::kDouble); }),
              StartsWith("sum is [5] float64"));
  EXPECT_THAT(refusal_of([](Arrays& arrays) { arrays.outer_sum = arrays.outer_sum[0]; }),
              testing::HasSubstr("outer_sum [4] float64"));
}

TEST_F(StatisticsFileTest, SumsOfOtherImagesThanMuAndSigmaAreRefused) {
  using testing::StartsWith;
  EXPECT_THAT(refusal_of([](Arrays& arrays) { arrays.mu[2] += 1e-4; }),
              StartsWith("mu is not sum / count"));
  EXPECT_THAT(refusal_of([](Arrays& arrays) { arrays.count.fill_(13); }),
              StartsWith("mu is not sum / count"));
  EXPECT_THAT(refusal_of([](Arrays& arrays) { arrays.sigma *= 11.0 / 12.0; }),
              StartsWith("sigma is not the unbiased covariance"));
  EXPECT_THAT(refusal_of([](Arrays& arrays) { arrays.outer_sum[1][1] *= 1.001; }),
              StartsWith("sigma is not the unbiased covariance"));
}

TEST_F(StatisticsFileTest, RoundedToFloat32AreRead) {
  Arrays arrays(some_moments(1));
  arrays.mu = arrays.mu.to(at::kFloat);
  arrays.sigma = arrays.sigma.to(at::kFloat);
  arrays.write(file_);
  EXPECT_TRUE(read_statistics(file_).moments);
}

TEST_F(StatisticsFileTest, ACovarianceIsSymmetric) {
  EXPECT_THAT(refusal_of([](Arrays& arrays) { arrays.sigma[0][1] += 1e-4; }),
              testing::StartsWith("sigma is not symmetric"));
}

TEST_F(StatisticsFileTest, InACacheAreMadeAgainWhereTheirSumsAreNone) {
  const StatisticsCache cache(folder_.path(), kOrigin, "these images");
  cache.keep(some_moments(1));
  ASSERT_TRUE(cache.find());
  Arrays arrays(some_moments(1));
  arrays.write(cache.file());
  ASSERT_TRUE(cache.find());
  arrays.sum[0] = NAN;
  arrays.write(cache.file());
  EXPECT_FALSE(cache.find());
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
