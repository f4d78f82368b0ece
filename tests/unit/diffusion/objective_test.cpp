#include "diffusion/objective.hpp"

#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include <cmath>

#include "core/error.hpp"
#include "support/error_message.hpp"

namespace effuse {
namespace {

using ::testing::HasSubstr;

constexpr std::int64_t kTimeSteps = 10;

DiffusionConfig config_of(const std::string& prediction, const std::string& loss) {
  DiffusionConfig config;
  config.timesteps = kTimeSteps;
  config.beta_end = 0.5;  // so that SNR is on both sides of gamma
  config.prediction = prediction;
  config.loss = loss;
  return config;
}

at::Tensor image_of(double value, at::ScalarType type = at::kDouble) {
  return at::full({1, 1, 2, 2}, value, type);
}

/// Loss of the one-image batch whose elements are all of these values.
double loss_of(const DiffusionConfig& config, double prediction, double x0, double noise,
               std::int64_t t) {
  const Objective objective(config, Schedule(config));
  const at::Tensor loss = objective.loss(image_of(prediction), image_of(x0), image_of(noise),
                                         at::tensor({t}, at::kLong));
  EXPECT_EQ(loss.sizes(), (at::IntArrayRef{1}));
  return loss.item<double>();
}

struct Case {
  const char* loss;
  double delta;
  double difference;
  double expected;
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.loss << " of " << c.difference; }

class Loss : public ::testing::TestWithParam<Case> {};

TEST_P(Loss, IsAsPyTorchDefinesIt) {
  DiffusionConfig config = config_of("epsilon", GetParam().loss);
  config.loss_delta = GetParam().delta;
  EXPECT_DOUBLE_EQ(loss_of(config, GetParam().difference, 7.0, 0.0, 3), GetParam().expected);
  EXPECT_DOUBLE_EQ(loss_of(config, -GetParam().difference, 7.0, 0.0, 3), GetParam().expected);
}

// huber: d²/2 up to delta, then delta (|d| - delta/2). smooth_l1: huber / delta.
INSTANTIATE_TEST_SUITE_P(
    All, Loss,
    ::testing::Values(Case{"mse", 0.5, 3.0, 9.0}, Case{"mse", 0.5, 0.25, 0.0625},
                      Case{"l1", 0.5, 3.0, 3.0}, Case{"l1", 0.5, 0.25, 0.25},
                      Case{"huber", 0.5, 3.0, 1.375}, Case{"huber", 0.5, 0.5, 0.125},
                      Case{"huber", 0.5, 0.25, 0.03125}, Case{"huber", 1.0, 3.0, 2.5},
                      Case{"smooth_l1", 0.5, 3.0, 2.75}, Case{"smooth_l1", 0.5, 0.5, 0.25},
                      Case{"smooth_l1", 0.5, 0.25, 0.0625}, Case{"smooth_l1", 1.0, 3.0, 2.5}));

TEST(Objective, IsTheMeanOverTheElementsOfEachImage) {
  const DiffusionConfig config = config_of("epsilon", "mse");
  const Objective objective(config, Schedule(config));
  const at::Tensor noise = at::zeros({2, 1, 2, 2});
  at::Tensor prediction = at::zeros({2, 1, 2, 2});
  prediction[1].fill_(3.0);
  prediction[0][0][0][0] = 2.0;
  const at::Tensor t = at::tensor({0, 9}, at::kLong);
  const at::Tensor expected = at::tensor({1.0F, 9.0F});
  EXPECT_TRUE(at::equal(objective.loss(prediction, noise, noise, t), expected));
  EXPECT_TRUE(at::equal(objective.loss(prediction.to(at::kBFloat16), noise, noise, t), expected))
      << "in fp32";
  EXPECT_EQ(objective.loss(prediction.to(at::kDouble), noise, noise, t).scalar_type(), at::kDouble);
}

TEST(Objective, HoldsThePredictionAgainstWhatItIsOf) {
  const double x0 = 0.3;
  const double noise = -1.25;
  for (const std::int64_t t : {0, 4, 9}) {
    const double alpha_bar = Schedule(config_of("epsilon", "mse")).alpha_bar(t);
    const double v = std::sqrt(alpha_bar) * noise - std::sqrt(1 - alpha_bar) * x0;
    const auto loss = [&](const char* kind, double output) {
      return loss_of(config_of(kind, "l1"), output, x0, noise, t);
    };
    EXPECT_DOUBLE_EQ(loss("epsilon", noise + 0.5), 0.5);
    EXPECT_DOUBLE_EQ(loss("sample", x0 + 0.5), 0.5);
    EXPECT_NEAR(loss("v_prediction", v), 0.0, 1e-15);
    EXPECT_NEAR(loss("v_prediction", v - 0.5), 0.5, 1e-15);
  }
}

TEST(Objective, WeightsByTheSmallerOfGammaAndTheSignalToNoiseRatio) {
  const double gamma = 5.0;
  const Schedule schedule(config_of("epsilon", "l1"));
  const auto weight = [&](const char* kind, std::int64_t t) {
    DiffusionConfig config = config_of(kind, "l1");
    const double plain = loss_of(config, 2.0, 0.25, -0.5, t);
    config.min_snr_gamma = gamma;
    return loss_of(config, 2.0, 0.25, -0.5, t) / plain;
  };
  int capped = 0;
  for (const std::int64_t t : {0, 1, 2, 5, 9}) {
    const double snr = schedule.alpha_bar(t) / (1.0 - schedule.alpha_bar(t));
    const double least = std::min(snr, gamma);
    capped += snr > gamma ? 1 : 0;
    EXPECT_NEAR(weight("epsilon", t), least / snr, 1e-14) << t;
    EXPECT_NEAR(weight("v_prediction", t), least / (snr + 1.0), 1e-14) << t;
    EXPECT_NEAR(weight("sample", t), least, 1e-14 * gamma) << t;
  }
  EXPECT_TRUE(capped > 0 && capped < 5) << "time steps on both sides of gamma, " << capped;
}

TEST(Objective, WeightsAllTimeStepsAlikeWithoutGamma) {
  EXPECT_DOUBLE_EQ(loss_of(config_of("sample", "l1"), 2.0, 0.25, 0.0, 0), 1.75);
  EXPECT_DOUBLE_EQ(loss_of(config_of("sample", "l1"), 2.0, 0.25, 0.0, 9), 1.75);
}

TEST(Objective, OfUnknownNamesIsRefusedWithTheNearest) {
  const auto refusal = [](const DiffusionConfig& config) {
    return message_of<ConfigError>(
        [&] { Objective(config, Schedule(config_of("epsilon", "mse"))); });
  };
  EXPECT_EQ(refusal(config_of("epsilon", "hubert")),
            "diffusion.loss is \"hubert\", which is not known; did you mean \"huber\"?");
  EXPECT_THAT(refusal(config_of("v_predict", "mse")), HasSubstr("did you mean \"v_prediction\"?"));
}

}  // namespace
}  // namespace effuse
