#include "diffusion/prediction.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/error.hpp"
#include "golden/golden.hpp"

namespace effuse {
namespace {

/// Image and noise come back from what a perfect network of each kind would answer.
TEST(Prediction, OfEachKindTellsImageAndNoise) {
  const at::Tensor image = golden::images({2, 1, 4, 4});
  const at::Tensor noise = golden::starting_noise({2, 1, 4, 4});
  for (const double alpha_bar : {0.9999, 0.5, 1e-4}) {
    const double signal = std::sqrt(alpha_bar);
    const double sigma = std::sqrt(1 - alpha_bar);
    const at::Tensor x = signal * image + sigma * noise;
    const at::Tensor v = signal * noise - sigma * image;
    for (const auto& [kind, output] : {std::pair{Prediction::epsilon, noise},
                                       {Prediction::v_prediction, v},
                                       {Prediction::sample, image}}) {
      EXPECT_LE(golden::relative_error(image_from(kind, x, output, alpha_bar), image), 1e-12);
      EXPECT_LE(golden::relative_error(noise_from(kind, x, output, alpha_bar), noise), 1e-12);
    }
  }
}

TEST(Prediction, OfVWorksWithoutSignal) {
  const at::Tensor noise = golden::starting_noise({1, 1, 2, 2});
  const at::Tensor image = golden::images({1, 1, 2, 2});
  EXPECT_TRUE(at::equal(image_from(Prediction::v_prediction, noise, -image, 0.0), image));
  EXPECT_TRUE(at::equal(noise_from(Prediction::v_prediction, noise, -image, 0.0), noise));
}

TEST(Prediction, OfAnotherNameIsRefused) {
  EXPECT_EQ(prediction_named("v_prediction"), Prediction::v_prediction);
  EXPECT_THROW(prediction_named("velocity"), ConfigError);
}

}  // namespace
}  // namespace effuse
