#include "evaluation/feature_pass.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "comm/agreement.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "evaluation/extremes.hpp"
#include "evaluation/rank_share.hpp"
#include "evaluation/side.hpp"
#include "support/error_message.hpp"
#include "support/temporary_folder.hpp"
#include "support/world.hpp"

namespace effuse {
namespace {

/// Mean and first pixel of an image, and its "logits".
class PixelNetwork : public FeatureNetwork {
 public:
  Features operator()(const at::Tensor& images) const override {
    shapes_seen_.push_back(images.size(0));
    const at::Tensor plain = images.to(at::kFloat).flatten(1);
    return {at::stack({plain.mean(1), plain.select(1, 0)}, 1), plain.narrow(1, 0, 3)};
  }
  std::int64_t dimensions() const override { return 2; }
  bool classifies() const override { return true; }
  const FeatureOrigin& origin() const override { return origin_; }
  const std::vector<std::int64_t>& shapes_seen() const { return shapes_seen_; }

 private:
  FeatureOrigin origin_{"pixels", "0123", ""};
  mutable std::vector<std::int64_t> shapes_seen_;
};

/// Image i is of the grey value i, but for its first pixel. One may be unreadable.
class Counting : public ImageSource {
 public:
  explicit Counting(std::int64_t count, std::int64_t unreadable = -1)
      : count_(count), unreadable_(unreadable) {}

  std::int64_t count() const override { return count_; }
  Image image(std::int64_t index) const override {
    if (index == unreadable_) throw DataError(cat("image ", index, " is torn"));
    Image image(2, 2, 1);
    image.pixels.assign(4, static_cast<std::uint8_t>(index));
    image.pixels[0] = static_cast<std::uint8_t>(2 * index);
    return image;
  }
  std::string name(std::int64_t index) const override { return cat(index); }

 private:
  std::int64_t count_, unreadable_;
};

PassSettings settings(Keep keep) { return {.tile = 4, .workers = 2, .keep = keep}; }

std::optional<FeatureSet> features_of(const ImageSource& source, Keep keep,
                                      const FeatureNetwork& network = PixelNetwork()) {
  return compute_features(network, source, settings(keep), testing::world(), testing::device());
}

TEST(FeaturePass, EveryImageIsTakenOnceInItsOrder) {
  for (const std::int64_t count : {1, 4, 11, 26}) {
    const auto set = features_of(Counting(count), Keep::features);
    ASSERT_TRUE(set);
    EXPECT_EQ(set->moments.count(), count);
    const auto whole = [&](const SharedRows& rows) {
      return rows.rows({0, count}, testing::world(), testing::device());
    };
    const at::Tensor all = whole(set->pooled);
    EXPECT_TRUE(at::equal(all.select(1, 1), 2.0 * at::arange(count, at::kFloat)));
    EXPECT_EQ(whole(set->logits).size(0), count);
    EXPECT_DOUBLE_EQ(set->moments.sum()[1].item<double>(),
                     static_cast<double>(count * (count - 1)));
  }
}

TEST(FeaturePass, ATileIsAlwaysOfTheSameShape) {
  const PixelNetwork network;
  features_of(Counting(11), Keep::moments, network);
  for (const std::int64_t shape : network.shapes_seen()) EXPECT_EQ(shape, 4);
}

TEST(FeaturePass, MomentsAloneKeepNoFeatures) {
  const auto set = features_of(Counting(9), Keep::moments);
  EXPECT_FALSE(set->pooled.defined());
  EXPECT_FALSE(set->logits.defined());
}

TEST(FeaturePass, AnUnreadableImageEndsItAtEveryRank) {
  const std::string message =
      message_of<AgreedError>([] { features_of(Counting(26, 25), Keep::moments); });
  EXPECT_NE(message.find("image 25 is torn"), std::string::npos) << message;
}

TEST(FeaturePass, FeaturesThatAreKeptAreNotComputedAgain) {
  Communicator& world = testing::world();
  const TemporaryFolder folder;
  const std::filesystem::path shared = world.broadcast_text(folder.path().string());
  agree(world, [&] {
    if (world.rank() == 0) begin_kept_features(shared, "{}");
  });
  const auto pass = [&](const PixelNetwork& network) {
    KeptFeatures kept(shared, "{}");
    PassSettings with_folder = settings(Keep::features);
    with_folder.kept = &kept;
    return compute_features(network, Counting(26), with_folder, world, testing::device());
  };
  const auto first = pass(PixelNetwork());
  agree(world, [&] {
    if (world.rank() == 0) std::filesystem::remove(shared / "00000003.npz");
  });
  const PixelNetwork network;
  const auto again = pass(network);
  const IndexRange mine = range_of_rank(26, 4, world.rank(), world.world_size());
  const bool lost_one = mine.first <= 12 && 12 < mine.end;
  EXPECT_EQ(network.shapes_seen().size(), lost_one ? 1U : 0U);
  EXPECT_TRUE(at::equal(first->pooled.mine, again->pooled.mine));
  EXPECT_TRUE(at::equal(first->logits.mine, again->logits.mine));
  EXPECT_TRUE(at::equal(first->moments.outer_sum(), again->moments.outer_sum()));
}

/// Divides by 0 where the first pixel is 40.
class TornNetwork : public PixelNetwork {
 public:
  enum class Of { features, logits };
  explicit TornNetwork(Of of) : of_(of) {}

  Features operator()(const at::Tensor& images) const override {
    Features features = PixelNetwork::operator()(images);
    const at::Tensor torn = (features.pooled.select(1, 1) - 40.0).reciprocal().unsqueeze(1);
    at::Tensor& spoiled = of_ == Of::features ? features.pooled : features.logits;
    spoiled = spoiled + torn;
    return features;
  }

 private:
  Of of_;
};

TEST(FeaturePass, FeaturesThatAreNotFiniteEndItAtEveryRank) {
  for (const auto& [of, what] : {std::pair{TornNetwork::Of::features, "the features of image 20 "},
                                 std::pair{TornNetwork::Of::logits, "the logits of image 20 "}}) {
    const auto message = message_of<AgreedError>(
        [&] { features_of(Counting(26), Keep::features, TornNetwork(of)); });
    EXPECT_NE(message.find(what), std::string::npos) << message;
  }
}

TEST(RankShare, IsMadeOfWholeTiles) {
  for (const int ranks : {1, 2, 3, 7}) {
    std::int64_t next = 0;
    for (int rank = 0; rank < ranks; ++rank) {
      const IndexRange range = range_of_rank(26, 4, rank, ranks);
      EXPECT_EQ(range.first, next);
      EXPECT_TRUE(range.first % 4 == 0 || range.count() == 0);
      EXPECT_LE(range.count(), 4 * most_tiles_of_a_rank(26, 4, ranks));
      next = range.end;
    }
    EXPECT_EQ(next, 26);
  }
}

EvaluationInput input_of(std::int64_t count) {
  return {.paths = {"set"}, .statistics = {}, .images = std::make_unique<Counting>(count)};
}

TEST(EvaluationInput, RanksThatSeeOtherImagesSayWhich) {
  Communicator& world = testing::world();
  require_same_images(input_of(5), world);
  if (world.world_size() == 1) return;
  const auto message =
      message_of<AgreedError>([&] { require_same_images(input_of(5 + world.rank()), world); });
  EXPECT_NE(message.find("set holds 5 images of CRC-32C"), std::string::npos) << message;
  EXPECT_NE(message.find("but 6 images of CRC-32C"), std::string::npos) << message;
}

Side side_of(const ImageSource& source, Keep keep) {
  auto set = features_of(source, keep);
  Gaussian gaussian = set->moments.gaussian();
  return {std::move(set->moments), std::move(gaussian), std::nullopt, std::move(set->pooled), {}};
}

TEST(Extremes, AreByTheNearestReferenceImageOrElseByItsMean) {
  // The reference is 0 … 4 with features (1.25 i, 2 i): the mean is nearest to image 2.
  const Side images = side_of(Counting(30), Keep::features);
  const auto find = [&](Keep keep) {
    return find_extremes(images, side_of(Counting(5), keep), 3, 7, testing::world(),
                         testing::device());
  };
  const Extremes by_images = find(Keep::features);
  EXPECT_EQ(by_images.nearest, (std::vector<std::int64_t>{0, 1, 2}));
  EXPECT_EQ(by_images.farthest, (std::vector<std::int64_t>{29, 28, 27}));
  const Extremes by_mean = find(Keep::moments);
  EXPECT_EQ(by_mean.nearest.front(), 2);
  EXPECT_EQ(by_mean.farthest.front(), 29);
  EXPECT_EQ(by_mean.random, by_images.random);
  EXPECT_EQ(by_mean.random.size(), 3U);
}

TEST(Extremes, OfFewImagesAreAllOfThem) {
  const Side images = side_of(Counting(2), Keep::features);
  const Extremes extremes =
      find_extremes(images, images, 24, 7, testing::world(), testing::device());
  EXPECT_EQ(extremes.nearest.size(), 2U);
  const Image picture = picture_of(extremes, Counting(2));
  EXPECT_GT(picture.width, 14 * 2);
}

}  // namespace
}  // namespace effuse
