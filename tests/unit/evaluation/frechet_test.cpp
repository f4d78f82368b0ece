#include "evaluation/frechet.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/error.hpp"
#include "support/error_message.hpp"

namespace effuse {
namespace {

at::Tensor numbers(at::IntArrayRef shape, std::uint64_t seed) {
  at::manual_seed(seed);
  return at::randn(shape, at::kDouble);
}

Gaussian of_samples(const at::Tensor& samples) {
  Moments moments(samples.size(1));
  moments.add(samples);
  return moments.gaussian();
}

TEST(Frechet, OfGaussiansOnAnAxisIsAsIntegrated) {
  // One dimension: (m1 - m2)² + (s1 - s2)².
  const Gaussian a{at::tensor({1.0}, at::kDouble), at::tensor({4.0}, at::kDouble).view({1, 1}), 9};
  const Gaussian b{at::tensor({4.0}, at::kDouble), at::tensor({25.0}, at::kDouble).view({1, 1}), 9};
  const FrechetDistance distance = frechet_distance(a, b);
  EXPECT_DOUBLE_EQ(distance.mean, 9.0);
  EXPECT_NEAR(distance.spread, 9.0, 1e-12);
  EXPECT_NEAR(distance.value, 18.0, 1e-12);
}

TEST(Frechet, OfCommutingCovariancesIsThatOfTheirRoots) {
  const at::Tensor turn = std::get<0>(at::linalg_qr(numbers({6, 6}, 1)));
  const at::Tensor u = numbers({6}, 2).abs(), v = numbers({6}, 3).abs();
  const auto turned = [&](const at::Tensor& values) { return at::matmul(turn * values, turn.t()); };
  const at::Tensor zero = at::zeros({6}, at::kDouble);
  const double expected = (u.sqrt() - v.sqrt()).square().sum().item<double>();
  EXPECT_NEAR(frechet_distance({zero, turned(u), 9}, {zero, turned(v), 9}).value, expected,
              1e-12 * expected);
}

TEST(Frechet, OfEqualSetsIsNothing) {
  const Gaussian a = of_samples(numbers({40, 64}, 4));  // singular
  EXPECT_LT(std::abs(frechet_distance(a, a).value), 1e-6);
}

TEST(Frechet, OfSingularCovariancesOfOneSubspaceEachIsExact) {
  const at::Tensor zero = at::zeros({3}, at::kDouble);
  const auto diagonal = [](double a, double b, double c) {
    return at::diag(at::tensor({a, b, c}, at::kDouble));
  };
  // They share one direction: 2 + 3 + 5 + 7 - 2 sqrt(3 * 5).
  const double distance =
      frechet_distance({zero, diagonal(2, 3, 0), 9}, {zero, diagonal(0, 5, 7), 9}).value;
  EXPECT_NEAR(distance, 17.0 - 2.0 * std::sqrt(15.0), 1e-12);
}

TEST(Frechet, DoesNotDependOnHowSumsWereRounded) {
  // 50 images of 128 features: what is left of the other 79 eigenvalues is rounding.
  const at::Tensor a = numbers({50, 128}, 5), b = numbers({60, 128}, 6) * 2.0 + 0.5;
  Moments parts(128);
  for (const at::Tensor& rows : a.split(7)) parts.add(rows);
  const double whole = frechet_distance(of_samples(a), of_samples(b)).value;
  const double split = frechet_distance(parts.gaussian(), of_samples(b)).value;
  const double turned = frechet_distance(of_samples(a.flip(0)), of_samples(b.flip(0))).value;
  EXPECT_NEAR(split, whole, 1e-9 * whole);
  EXPECT_NEAR(turned, whole, 1e-9 * whole);
  EXPECT_NEAR(frechet_distance(of_samples(b), of_samples(a)).value, whole, 1e-9 * whole);
}

TEST(Frechet, OfNoSpreadIsTheSquaredDistanceOfMeans) {
  const at::Tensor zero = at::zeros({2, 2}, at::kDouble);
  const double distance = frechet_distance({at::tensor({0.0, 0.0}, at::kDouble), zero, 9},
                                           {at::tensor({3.0, 4.0}, at::kDouble), zero, 9})
                              .value;
  EXPECT_DOUBLE_EQ(distance, 25.0);
}

TEST(Frechet, RefusesWhatCannotBeCompared) {
  const Gaussian a = of_samples(numbers({10, 4}, 7)), b = of_samples(numbers({10, 5}, 8));
  EXPECT_NE(message_of<DataError>([&] { frechet_distance(a, b); }).find("different networks"),
            std::string::npos);
  Gaussian broken = a;
  broken.mean = at::full({4}, std::nan(""), at::kDouble);
  EXPECT_NE(message_of<DataError>([&] { frechet_distance(broken, a); }).find("not finite"),
            std::string::npos);
}

TEST(FrechetDistance, NeedsTwoImages) {
  Moments moments(3);
  EXPECT_THROW(moments.gaussian(), DataError);
  moments.add(at::ones({1, 3}));
  const Gaussian one = moments.gaussian();
  EXPECT_TRUE(one.covariance.equal(at::zeros({3, 3}, at::kDouble)));
  EXPECT_NE(message_of<DataError>([&] { frechet_distance(one, one); }).find("1 image has no covar"),
            std::string::npos);
}

TEST(Moments, OfPartsAreThoseOfTheWhole) {
  const at::Tensor samples = numbers({20, 5}, 9) + 3.0;
  Moments first(5), second(5);
  first.add(samples.narrow(0, 0, 8));
  second.add(samples.narrow(0, 8, 12));
  first.add(second);
  const Gaussian gaussian = first.gaussian();
  EXPECT_EQ(gaussian.count, 20);
  EXPECT_TRUE(at::allclose(gaussian.mean, samples.mean(0), 1e-12, 1e-12));
  EXPECT_TRUE(at::allclose(gaussian.covariance, at::cov(samples.t()), 1e-10, 1e-12));
}

}  // namespace
}  // namespace effuse
