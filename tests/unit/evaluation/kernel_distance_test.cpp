#include "evaluation/kernel_distance.hpp"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "comm/backends.hpp"
#include "core/error.hpp"
#include "feature_sets.hpp"
#include "golden/golden.hpp"
#include "support/error_message.hpp"
#include "support/world.hpp"

namespace effuse {
namespace {

using feature_sets::made;
using feature_sets::real;

constexpr std::int64_t kTile = 7;

MeanDeviation distance_of(const at::Tensor& reference, const at::Tensor& images,
                          const KernelDistanceSettings& settings, Communicator& comm,
                          at::Device device) {
  return kernel_distance(share_rows(reference, kTile, comm), share_rows(images, kTile, comm),
                         settings, comm, device);
}

MeanDeviation distance(const at::Tensor& reference, const at::Tensor& images,
                       const KernelDistanceSettings& settings) {
  return distance_of(reference, images, settings, testing::world(), testing::device());
}

at::Tensor subset(const KernelDistanceSettings& settings, SubsetOf set, std::int64_t number,
                  std::int64_t count) {
  return at::tensor(draw_subset(settings, set, number, count), at::kLong);
}

/// The definition, without blocks.
double naive_mmd2(const at::Tensor& x, const at::Tensor& y) {
  const auto m = static_cast<double>(x.size(0));
  const auto kernel = [](const at::Tensor& a, const at::Tensor& b) {
    return (at::mm(a, b.t()) / static_cast<double>(a.size(1)) + 1.0).pow(3);
  };
  const at::Tensor within = kernel(x, x) + kernel(y, y);
  const double off_diagonal = (within.sum() - within.trace()).item<double>();
  return off_diagonal / (m * (m - 1)) - 2 * kernel(x, y).mean().item<double>();
}

TEST(KernelDistance, IsThatOfTorchFidelity) {
  const double expected = golden::load("feature_metrics.json").at("kid").get<double>();
  const auto kid =
      distance(real().slice(0, 0, 260), made(), {.subsets = 3, .subset_size = 260, .seed = 1});
  EXPECT_NEAR(kid.mean, expected, 1e-10 * expected);
  EXPECT_EQ(kid.deviation, 0.0) << "every subset is the whole set";
}

TEST(KernelDistance, IsTheMeanOverItsSubsets) {
  const KernelDistanceSettings settings{.subsets = 7, .subset_size = 150, .seed = 5};
  std::vector<double> values;
  for (std::int64_t i = 0; i < settings.subsets; ++i) {
    const at::Tensor ours = subset(settings, SubsetOf::reference, i, 300);
    const at::Tensor theirs = subset(settings, SubsetOf::images, i, 260);
    values.push_back(naive_mmd2(real().to(at::kDouble).index_select(0, ours),
                                made().to(at::kDouble).index_select(0, theirs)));
  }
  const at::Tensor all = at::tensor(values, at::kDouble);
  const auto kid = distance(real(), made(), settings);
  EXPECT_NEAR(kid.mean, all.mean().item<double>(), 1e-12);
  EXPECT_NEAR(kid.deviation, all.std(/*unbiased=*/false).item<double>(), 1e-12);
  EXPECT_GT(kid.deviation, 0.0);
}

TEST(KernelDistance, HasTheSameBitsAtAnyNumberOfRanksAndThreads) {
  // Wide enough for libraries to divide the work otherwise.
  const at::Tensor reference = feature_sets::features(400, 200, 1);
  const at::Tensor images = feature_sets::features(390, 200, 2, 0.875, 0.1875);
  const KernelDistanceSettings settings{.subsets = 5, .subset_size = 380, .seed = 2};
  const auto alone = make_single(testing::deadlines());
  const auto expected = distance_of(reference, images, settings, *alone, at::kCPU);
  const int threads = at::get_num_threads();
  for (const int count : {1, 2, 3}) {
    at::set_num_threads(count);
    const auto kid = distance(reference, images, settings);
    EXPECT_EQ(kid.mean, expected.mean);
    EXPECT_EQ(kid.deviation, expected.deviation);
  }
  at::set_num_threads(threads);
}

TEST(KernelDistance, OfASetToItselfIsNotAboveZero) {
  const KernelDistanceSettings settings{.subsets = 2, .subset_size = 300, .seed = 0};
  EXPECT_LE(distance(real(), real(), settings).mean, 0.0);
}

TEST(KernelDistance, DrawsSubsetsEvenlyAndWithoutReplacement) {
  const KernelDistanceSettings settings{.subsets = 600, .subset_size = 4, .seed = 11};
  at::Tensor drawn = at::zeros({20}, at::kLong);
  for (std::int64_t i = 0; i < settings.subsets; ++i) {
    const at::Tensor places = subset(settings, SubsetOf::images, i, 20);
    ASSERT_EQ(places.size(0), 4);
    ASSERT_TRUE((places.diff() > 0).all().item<bool>());
    ASSERT_TRUE((places >= 0).all().item<bool>() && (places < 20).all().item<bool>());
    drawn.index_add_(0, places, at::ones({4}, at::kLong));
  }
  // Each is drawn 120 times on average, with a deviation of 9.8.
  EXPECT_LT((drawn - 120).abs().max().item<std::int64_t>(), 45);
  EXPECT_NE(draw_subset(settings, SubsetOf::images, 0, 20),
            draw_subset(settings, SubsetOf::reference, 0, 20));
}

TEST(KernelDistance, SaysWhatToSetForFewImages) {
  const auto message = message_of<DataError>(
      [] { distance(real(), made(), {.subsets = 100, .subset_size = 1000, .seed = 0}); });
  EXPECT_NE(message.find("subsets of 1000 images, but there are 300 reference images"),
            std::string::npos)
      << message;
  EXPECT_NE(message.find("set evaluation.kid_subset_size to 300 or less"), std::string::npos);
  const auto fewer = message_of<DataError>(
      [] { distance(real(), made(), {.subsets = 100, .subset_size = 280, .seed = 0}); });
  EXPECT_NE(fewer.find("there are 260 images"), std::string::npos) << fewer;
}

TEST(KernelDistance, RefusesWhatCannotBe) {
  const KernelDistanceSettings settings{.subsets = 2, .subset_size = 100, .seed = 0};
  EXPECT_THROW(distance(real(), made(), {.subsets = 0, .subset_size = 9, .seed = 0}), ConfigError);
  EXPECT_THROW(distance(real(), made(), {.subsets = 1, .subset_size = 1, .seed = 0}), ConfigError);
  EXPECT_THROW(distance(real(), made().slice(1, 0, 15), settings), DataError);
}

}  // namespace
}  // namespace effuse
