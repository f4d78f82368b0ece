#include "diffusion/schedule.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/error.hpp"
#include "diffusion/forward_process.hpp"
#include "diffusion/time_steps.hpp"
#include "golden/golden.hpp"
#include "support/error_message.hpp"

namespace effuse {
namespace {

DiffusionConfig config_of(const std::string& schedule) {
  DiffusionConfig config;
  config.schedule = schedule;
  return config;
}

class ScheduleGolden : public testing::TestWithParam<const char*> {};

TEST_P(ScheduleGolden, IsThatOfDiffusers) {
  const Schedule schedule(config_of(GetParam()));
  const auto golden = golden::load("samplers.json").at("schedules").at(GetParam());
  ASSERT_EQ(schedule.size(), 1000);
  for (std::size_t k = 0; k < golden.at("indices").size(); ++k) {
    const auto t = golden.at("indices")[k].get<std::int64_t>();
    // diffusers holds its tables in fp32; its last cosine alpha_bar is off by 6e-5.
    const auto beta = golden.at("betas")[k].get<double>();
    EXPECT_NEAR(schedule.beta(t), beta, 1e-6 * beta) << t;
    const auto alpha_bar = golden.at("alpha_bar")[k].get<double>();
    EXPECT_NEAR(schedule.alpha_bar(t), alpha_bar, 1e-4 * alpha_bar) << t;
    const auto exact = golden.at("exact_alpha_bar")[k].get<double>();
    EXPECT_NEAR(schedule.alpha_bar(t), exact, 1e-12 * exact) << t;
  }
}

INSTANTIATE_TEST_SUITE_P(All, ScheduleGolden, testing::Values("linear", "cosine", "scaled_linear"),
                         [](const auto& test) { return std::string(test.param); });

TEST_P(ScheduleGolden, IsRescaledToPureNoiseAsThatOfDiffusers) {
  DiffusionConfig config = config_of(GetParam());
  config.zero_terminal_snr = true;
  config.prediction = "v_prediction";
  const Schedule schedule(config);
  const auto golden = golden::load("samplers.json").at("schedules").at(GetParam());
  for (std::size_t k = 0; k < golden.at("indices").size(); ++k) {
    const auto t = golden.at("indices")[k].get<std::int64_t>();
    const auto expected = golden.at("zero_terminal_snr")[k].get<double>();
    EXPECT_NEAR(schedule.alpha_bar(t), expected, 1e-3 * expected) << t;
    EXPECT_NEAR(schedule.rounded_to_fp32().alpha_bar(t), expected, 1e-9) << t;
  }
  EXPECT_EQ(schedule.alpha_bar(999), 0.0);
  EXPECT_EQ(schedule.beta(999), 1.0);
}

TEST_P(ScheduleGolden, HasTheFp32TablesOfDiffusersToTheLastBit) {
  const Schedule schedule = Schedule(config_of(GetParam())).rounded_to_fp32();
  const auto golden = golden::load("samplers.json").at("schedules").at(GetParam());
  for (std::size_t k = 0; k < golden.at("indices").size(); ++k) {
    const auto t = golden.at("indices")[k].get<std::int64_t>();
    EXPECT_EQ(schedule.alpha_bar(t), golden.at("alpha_bar")[k].get<double>()) << t;
  }
}

TEST(Schedule, OfAnotherNameIsTheSame) {
  EXPECT_EQ(Schedule(config_of("squaredcos_cap_v2")).alpha_bar(),
            Schedule(config_of("cosine")).alpha_bar());
  EXPECT_EQ(Schedule(config_of("sqrt_linear")).alpha_bar(),
            Schedule(config_of("scaled_linear")).alpha_bar());
}

TEST(Schedule, OfTheRootUnderflowsUnlessItIsClipped) {
  DiffusionConfig config = config_of("sqrt");
  const std::string message = message_of<ConfigError>([&] { Schedule{config}; });
  EXPECT_NE(message.find("underflows in fp32"), std::string::npos) << message;
  EXPECT_NE(message.find("diffusion.min_alpha_bar"), std::string::npos) << message;
  config.min_alpha_bar = 1e-5;
  const Schedule schedule(config);
  EXPECT_EQ(schedule.alpha_bar(999), 1e-5);
  EXPECT_NEAR(schedule.beta(0), 0.01, 1e-15);
  EXPECT_EQ(schedule.beta(999), 0.0);
}

TEST(Schedule, WithoutTerminalSignalTakesNoNoisePrediction) {
  DiffusionConfig config = config_of("linear");
  config.zero_terminal_snr = true;
  EXPECT_THROW(Schedule{config}, ConfigError);
  config.prediction = "sample";
  EXPECT_NO_THROW(Schedule{config});
  config.min_alpha_bar = 1e-3;
  EXPECT_THROW(Schedule{config}, ConfigError);
}

TEST(Schedule, EndsAsPublished) {
  EXPECT_NEAR(Schedule(config_of("scaled_linear")).alpha_bar(999), 7.3e-4, 0.05e-4);
  EXPECT_NEAR(Schedule(config_of("linear")).alpha_bar(999), 4.04e-5, 0.005e-5);
  EXPECT_NEAR(Schedule(config_of("cosine")).alpha_bar(999), 2.43e-9, 0.005e-9);
  EXPECT_EQ(Schedule(config_of("cosine")).beta(999), 0.999);
}

TEST(Schedule, BeforeTheFirstStepIsTheImage) {
  EXPECT_EQ(Schedule(config_of("linear")).alpha_bar(-1), 1.0);
}

TEST(Schedule, OfAnotherNameIsRefusedWithTheNearest) {
  try {
    Schedule(config_of("cosin"));
    FAIL();
  } catch (const ConfigError& error) {
    EXPECT_STREQ(error.what(),
                 "diffusion.schedule is \"cosin\", which is not known; did you mean \"cosine\"?");
  }
}

TEST(Schedule, WithBetasOutsideTheUnitIntervalIsRefused) {
  DiffusionConfig config = config_of("linear");
  config.beta_end = 1.0;
  EXPECT_THROW(Schedule{config}, ConfigError);
  config = config_of("cosine");
  config.timesteps = 0;
  EXPECT_THROW(Schedule{config}, ConfigError);
}

TEST(ForwardProcess, MixesImageAndNoise) {
  const Schedule schedule(config_of("linear"));
  const ForwardProcess process(schedule);
  const at::Tensor x0 = golden::images({2, 3, 4, 4});
  const at::Tensor noise = golden::starting_noise({2, 3, 4, 4});
  const at::Tensor x = process.add_noise(x0, noise, at::tensor({0, 700}, at::kLong));
  for (const auto& [row, t] : {std::pair{0, 0}, std::pair{1, 700}}) {
    const double signal = schedule.alpha_bar(t);
    EXPECT_TRUE(
        at::allclose(x[row], std::sqrt(signal) * x0[row] + std::sqrt(1 - signal) * noise[row]));
  }
  EXPECT_EQ(process.add_noise(x0.to(at::kFloat), noise.to(at::kFloat), at::zeros({2}, at::kLong))
                .scalar_type(),
            at::kFloat);
}

std::vector<std::int64_t> visited(Spacing spacing, std::int64_t steps, std::int64_t timesteps) {
  std::vector<std::int64_t> t;
  for (const TimeStep& step : time_steps(spacing, steps, timesteps)) t.push_back(step.t);
  return t;
}

TEST(TimeSteps, AreSpacedAsNamed) {
  using Steps = std::vector<std::int64_t>;
  EXPECT_EQ(visited(Spacing::linspace, 4, 10), (Steps{9, 6, 3, 0}));
  EXPECT_EQ(visited(Spacing::leading, 4, 10), (Steps{6, 4, 2, 0}));
  EXPECT_EQ(visited(Spacing::trailing, 4, 10), (Steps{9, 7, 4, 1}));
  EXPECT_EQ(visited(Spacing::linspace, 1, 10), (Steps{9}));
  EXPECT_EQ(visited(Spacing::trailing, 1, 10), (Steps{9}));
}

TEST(TimeSteps, DescendStrictlyForAnyNumber) {
  for (const Spacing spacing : {Spacing::linspace, Spacing::leading, Spacing::trailing}) {
    for (std::int64_t count = 1; count <= 100; ++count) {
      const auto steps = time_steps(spacing, count, 100);
      ASSERT_EQ(steps.size(), static_cast<std::size_t>(count));
      for (std::size_t i = 0; i < steps.size(); ++i) {
        EXPECT_EQ(steps[i].number, static_cast<std::int64_t>(i));
        EXPECT_LT(steps[i].t_next, steps[i].t);
        EXPECT_EQ(steps[i].t_next, i + 1 < steps.size() ? steps[i + 1].t : -1);
      }
      if (spacing != Spacing::leading) {
        EXPECT_EQ(steps.front().t, 99);
      }
      EXPECT_GE(steps.back().t, 0);
    }
  }
}

TEST(TimeSteps, InImpossibleNumbersAreRefused) {
  EXPECT_THROW(time_steps(Spacing::linspace, 0, 100), ConfigError);
  EXPECT_THROW(time_steps(Spacing::linspace, 101, 100), ConfigError);
}

TEST(Spacing, HasAName) {
  EXPECT_EQ(spacing_named("trailing"), Spacing::trailing);
  EXPECT_THROW(spacing_named("tailing"), ConfigError);
}

}  // namespace
}  // namespace effuse
