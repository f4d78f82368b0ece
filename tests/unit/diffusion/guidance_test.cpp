#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <vector>

#include "core/error.hpp"
#include "diffusion/denoiser.hpp"

namespace effuse {
namespace {

constexpr std::int64_t kNullClass = 3;

/// A model whose prediction tells x, t and label apart, and which notes the sizes of its batches.
class GuidanceTest : public testing::Test {
 protected:
  at::Tensor predict(const at::Tensor& x, const at::Tensor& t, const at::Tensor& labels) {
    batch_sizes_.push_back(x.size(0));
    const at::Tensor per_image = 0.01 * t.to(x.scalar_type());
    return x.sin() + (labels.defined() ? per_image + labels : per_image).view({-1, 1, 1, 1});
  }

  NoiseModel model_ = [this](const at::Tensor& x, const at::Tensor& t, const at::Tensor& labels) {
    return predict(x, t, labels);
  };
  at::Tensor x_ = at::arange(8, at::kDouble).reshape({2, 1, 2, 2});
  at::Tensor t_ = at::full({2}, 17, at::kLong);
  at::Tensor labels_ = at::tensor({0, 2}, at::kLong);
  std::vector<std::int64_t> batch_sizes_;
};

TEST_F(GuidanceTest, OnOneDoubledBatchEqualsTwoPasses) {
  const at::Tensor with = predict(x_, t_, labels_);
  const at::Tensor without = predict(x_, t_, at::full({2}, kNullClass, at::kLong));
  for (const double scale : {0.3, 2.0, 7.5}) {
    batch_sizes_.clear();
    const at::Tensor guided_prediction = guided(model_, labels_, kNullClass, scale)(x_, 17);
    EXPECT_TRUE(at::allclose(guided_prediction, without + scale * (with - without)));
    EXPECT_EQ(batch_sizes_, std::vector<std::int64_t>{4});
  }
}

TEST_F(GuidanceTest, OfOneOrZeroTakesOneSingleBatch) {
  const at::Tensor with = predict(x_, t_, labels_);
  const at::Tensor without = predict(x_, t_, at::full({2}, kNullClass, at::kLong));
  batch_sizes_.clear();
  EXPECT_TRUE(at::equal(guided(model_, labels_, kNullClass, 1.0)(x_, 17), with));
  EXPECT_TRUE(at::equal(guided(model_, labels_, kNullClass, 0.0)(x_, 17), without));
  EXPECT_EQ(batch_sizes_, (std::vector<std::int64_t>{2, 2}));
}

TEST_F(GuidanceTest, MeansNothingWithoutLabels) {
  EXPECT_TRUE(at::equal(guided(model_, {}, -1, 5.0)(x_, 17), predict(x_, t_, {})));
}

TEST_F(GuidanceTest, NeedsANullClass) {
  EXPECT_THROW(guided(model_, labels_, -1, 2.0), ConfigError);
  EXPECT_NO_THROW(guided(model_, labels_, -1, 1.0));
}

}  // namespace
}  // namespace effuse
