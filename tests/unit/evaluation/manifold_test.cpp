#include "evaluation/manifold.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "comm/backends.hpp"
#include "core/error.hpp"
#include "feature_sets.hpp"
#include "golden/golden.hpp"
#include "support/error_message.hpp"
#include "support/world.hpp"

namespace effuse {
namespace {

using feature_sets::features;
using feature_sets::made;
using feature_sets::real;

constexpr std::int64_t kTile = 7;

ManifoldScores scores_of(const at::Tensor& reference, const at::Tensor& images,
                         const ManifoldSettings& settings, Communicator& comm, at::Device device) {
  return manifold_scores(share_rows(reference, kTile, comm), share_rows(images, kTile, comm),
                         settings, comm, device);
}

ManifoldScores scores(const at::Tensor& reference, const at::Tensor& images,
                      const ManifoldSettings& settings = {}) {
  return scores_of(reference, images, settings, testing::world(), testing::device());
}

void expect_equal(const ManifoldScores& a, const ManifoldScores& b) {
  EXPECT_EQ(a.precision, b.precision);
  EXPECT_EQ(a.recall, b.recall);
  EXPECT_EQ(a.density, b.density);
  EXPECT_EQ(a.coverage, b.coverage);
}

TEST(Manifold, IsThatOfTorchFidelityAndOfNaeemEtAl) {
  const auto expected = golden::load("feature_metrics.json");
  for (const auto& [k, density_k] : {std::pair{1, 1}, std::pair{3, 5}}) {
    const auto found = scores(real(), made(), {.neighbours = k, .density_neighbours = density_k});
    const auto& precision_recall = expected.at("precision_recall").at(std::to_string(k));
    const auto& density_coverage = expected.at("density_coverage").at(std::to_string(density_k));
    // torch-fidelity takes its means in fp32.
    EXPECT_NEAR(found.precision, precision_recall.at(0).get<double>(), 1e-7);
    EXPECT_NEAR(found.recall, precision_recall.at(1).get<double>(), 1e-7);
    EXPECT_NEAR(found.density, density_coverage.at(0).get<double>(), 1e-12);
    EXPECT_NEAR(found.coverage, density_coverage.at(1).get<double>(), 1e-12);
  }
}

TEST(Manifold, OfASetWithItselfIsWhole) {
  const auto found = scores(real(), real());
  EXPECT_EQ(found.precision, 1.0);
  EXPECT_EQ(found.recall, 1.0);
  EXPECT_EQ(found.coverage, 1.0);
  // Inside of a ball are its own image and the k - 1 nearest, the k-th being on the edge.
  EXPECT_NEAR(found.density, 1.0, 1e-12);
}

TEST(Manifold, OfSetsFarApartIsNothing) {
  expect_equal(scores(real(), features(260, 16, 2, 1.0, 50.0)), {0.0, 0.0, 0.0, 0.0});
}

/// On a line, by hand: 0, 1, 3, 7 with k = 1 have balls of radius 1, 1, 2 and 4.
TEST(Manifold, IsWhatItIsByHand) {
  const at::Tensor line = at::tensor({0.0F, 1.0F, 3.0F, 7.0F}).view({4, 1});
  const at::Tensor others = at::tensor({-1.0F, 0.5F, 11.5F}).view({3, 1});
  const auto found = scores(line, others, {.neighbours = 1, .density_neighbours = 1});
  EXPECT_EQ(found.precision, 2.0 / 3);  // -1 is on the edge of the ball of 0, 11.5 outside of all
  EXPECT_EQ(found.recall, 4.0 / 4);     // balls of radius 1.5, 1.5 and 11
  EXPECT_EQ(found.density, 2.0 / 3);    // 0.5 is inside of two balls, -1 on an edge
  EXPECT_EQ(found.coverage, 2.0 / 4);
}

TEST(Manifold, DoesNotDependOnTheOrderOfImages) {
  const at::Tensor order = at::arange(260, at::kLong) * 77 % 260;
  const at::Tensor reference_order = at::arange(300, at::kLong) * 7 % 300;
  expect_equal(scores(real().index_select(0, reference_order), made().index_select(0, order)),
               scores(real(), made()));
}

TEST(Manifold, HasTheSameBitsAtAnyNumberOfRanks) {
  const auto alone = make_single(testing::deadlines());
  expect_equal(scores(real(), made()), scores_of(real(), made(), {}, *alone, at::kCPU));
}

TEST(Manifold, TakesImagesThatAreThereTwice) {
  const at::Tensor twice = at::cat({real(), real(), real(), real()});
  const auto found = scores(twice, real(), {.neighbours = 3, .density_neighbours = 3});
  EXPECT_EQ(found.precision, 1.0) << "balls of radius 0 hold their own image";
  EXPECT_EQ(found.density, 0.0) << "nothing is inside of a ball of radius 0";
}

TEST(Manifold, DensityAndCoverageNeedNoNeighboursOfTheImages) {
  const auto few = scores(real(), made().slice(0, 0, 2));
  const auto fewer_neighbours =
      scores(real(), made().slice(0, 0, 2), {.neighbours = 1, .density_neighbours = 5});
  EXPECT_EQ(few.density, fewer_neighbours.density);
  EXPECT_EQ(few.coverage, fewer_neighbours.coverage);
}

TEST(Manifold, RefusesWhatCannotBe) {
  EXPECT_THROW(scores(real(), made(), {.neighbours = 0, .density_neighbours = 5}), ConfigError);
  EXPECT_THROW(scores(real(), made().slice(1, 0, 4)), DataError);
}

}  // namespace
}  // namespace effuse
