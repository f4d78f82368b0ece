#include "evaluation/inception_score.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "feature_sets.hpp"
#include "golden/golden.hpp"
#include "support/error_message.hpp"
#include "support/world.hpp"

namespace effuse {
namespace {

MeanDeviation score(const at::Tensor& logits, const InceptionScoreSettings& settings) {
  return inception_score(share_rows(logits, 3, testing::world()), settings, testing::world(),
                         testing::device());
}

/// Images in the order of their classes, each certain of its own.
at::Tensor certain(std::int64_t images, std::int64_t classes) {
  const at::Tensor label = at::arange(images, at::kLong) * classes / images;
  return at::one_hot(label.floor().to(at::kLong), classes).to(at::kFloat) * 2000.0;
}

TEST(InceptionScore, IsThatOfTorchFidelity) {
  const auto expected = golden::load("feature_metrics.json").at("inception_score");
  const auto found = score(feature_sets::features(47, 6, 3, 8.0, -4.0),
                           {.splits = 4, .seed = 0, .order = ScoreOrder::as_given});
  EXPECT_NEAR(found.mean, expected.at(0).get<double>(), 1e-9);
  EXPECT_NEAR(found.deviation, expected.at(1).get<double>(), 1e-9);
}

TEST(InceptionScore, IsTheNumberOfClassesAtBestAndOneAtWorst) {
  const auto best = score(certain(40, 8), {.splits = 1, .seed = 0});
  EXPECT_NEAR(best.mean, 8.0, 1e-12) << "classes that are 0 beyond float64 included";
  EXPECT_EQ(best.deviation, 0.0);
  EXPECT_NEAR(score(at::ones({40, 8}), {.splits = 4, .seed = 0}).mean, 1.0, 1e-12);
}

TEST(InceptionScore, ShufflesWhatComesInOrder) {
  const at::Tensor logits = certain(4000, 4);
  const auto in_order = score(logits, {.splits = 4, .seed = 0, .order = ScoreOrder::as_given});
  EXPECT_NEAR(in_order.mean, 1.0, 1e-12) << "each split sees one class";
  const auto shuffled = score(logits, {.splits = 4, .seed = 0});
  EXPECT_GT(shuffled.mean, 3.98);
  EXPECT_EQ(shuffled.mean, score(logits, {.splits = 4, .seed = 0}).mean);
  EXPECT_NE(shuffled.mean, score(logits, {.splits = 4, .seed = 1}).mean);
}

TEST(InceptionScore, RefusesWhatCannotBe) {
  const auto message = message_of<DataError>([] {
    score(at::ones({9, 8}), {.splits = 10, .seed = 0});
  });
  EXPECT_NE(message.find("over 10 splits, but there are 9 images"), std::string::npos) << message;
  EXPECT_NO_THROW(score(at::ones({10, 8}), {.splits = 10, .seed = 0}));
  EXPECT_THROW(score(at::ones({9, 8}), {.splits = 0, .seed = 0}), ConfigError);
  EXPECT_THROW(score(at::ones({9}), {.splits = 1, .seed = 0}), DataError);
}

}  // namespace
}  // namespace effuse
