#include "diffusion/sampler_settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "diffusion/step_plan.hpp"
#include "support/error_message.hpp"

namespace effuse {
namespace {

using testing::HasSubstr;

/// The steps of these settings over 1,000 linear time steps, or the DiffusionConfig given.
std::vector<SamplerStep> plan(const std::function<void(SamplingConfig&)>& change,
                              const DiffusionConfig& diffusion = {}) {
  SamplingConfig sampling;
  sampling.steps = 20;
  change(sampling);
  return plan_steps(sampler_settings(sampling, diffusion), Schedule(diffusion));
}

std::string refusal(const std::function<void(SamplingConfig&)>& change,
                    const DiffusionConfig& diffusion = {}) {
  return message_of<ConfigError>([&] { plan(change, diffusion); });
}

std::vector<std::int64_t> visited(const std::vector<SamplerStep>& steps) {
  std::vector<std::int64_t> result;
  for (const SamplerStep& step : steps) result.push_back(step.t);
  return result;
}

TEST(SamplerSettings, NameTheNearest) {
  EXPECT_THAT(refusal([](auto& s) { s.sampler = "dddim"; }), HasSubstr("did you mean \"ddim\"?"));
  EXPECT_THAT(refusal([](auto& s) { s.convention = "iddn"; }), HasSubstr("sampling.convention"));
}

TEST(SamplerSettings, ThatWouldHaveNoEffectAreRefused) {
  for (const char* sampler : {"ddpm", "plms", "dpmpp_2m"}) {
    EXPECT_THAT(refusal([&](auto& s) { s.sampler = sampler, s.eta = 0.5; }),
                HasSubstr("has no eta"));
  }
  EXPECT_THAT(refusal([](auto& s) { s.variance = "fixed_large"; }),
              HasSubstr("sampling.variance is for ddpm"));
}

TEST(SamplerSettings, TakeOneToAllTimeSteps) {
  EXPECT_THAT(refusal([](auto& s) { s.steps = 1001; }), HasSubstr("Choose 1 to 1000"));
  for (const char* sampler : {"ddpm", "ddim", "plms", "dpmpp_2m"}) {
    for (const std::int64_t steps : {1, 2, 3, 7, 999, 1000}) {
      const auto found = plan([&](auto& s) { s.sampler = sampler, s.steps = steps; });
      ASSERT_EQ(found.size(), static_cast<std::size_t>(steps));
      EXPECT_EQ(found.front().t, 999);
      EXPECT_EQ(found.back().levels.to, 1.0);
    }
  }
}

TEST(IddmConvention, HasTheTimeStepsOfIddm) {
  const auto steps = plan([](auto& s) { s.convention = "iddm"; });
  EXPECT_EQ(steps.size(), 20U);
  EXPECT_EQ(steps.front().t, 951);
  EXPECT_EQ(steps[1].t, 901);
  EXPECT_EQ(steps.back().t, 1);
  EXPECT_EQ(steps.back().levels.to, Schedule(DiffusionConfig{}).alpha_bar(0));
}

TEST(IddmConvention, TakesEveryStepOfDdpmWithoutNoiseInTheLast) {
  DiffusionConfig diffusion;
  diffusion.timesteps = 5;
  const auto steps =
      plan([](auto& s) { s.convention = "iddm", s.sampler = "ddpm", s.steps = 5; }, diffusion);
  EXPECT_EQ(visited(steps), (std::vector<std::int64_t>{4, 3, 2, 1}));
  EXPECT_TRUE(steps[2].adds_noise);
  EXPECT_FALSE(steps[3].adds_noise);
}

TEST(IddmConvention, RefusesWhatIddmCannot) {
  const auto iddm = [](auto change) {
    return refusal([=](auto& s) {
      s.convention = "iddm";
      change(s);
    });
  };
  EXPECT_THAT(iddm([](auto& s) { s.steps = 300; }), HasSubstr("begin at 1000, beyond the last"));
  EXPECT_THAT(iddm([](auto& s) { s.steps = 1000; }), HasSubstr("beyond the last (999)"));
  EXPECT_THAT(iddm([](auto& s) { s.sampler = "dpmpp_2m"; }), HasSubstr("not the published"));
  EXPECT_THAT(iddm([](auto& s) { s.sampler = "ddpm"; }), HasSubstr("sampling.steps = 1000"));
  EXPECT_THAT(iddm([](auto& s) { s.spacing = "leading"; }), HasSubstr("sampling.spacing"));
  EXPECT_THAT(iddm([](auto& s) { s.clip = false; }), HasSubstr("sampling.clip"));
}

TEST(DiffusersConvention, RefusesTimeStepsThatRepeat) {
  const auto diffusers = [](auto& s) { s.convention = "diffusers", s.sampler = "dpmpp_2m"; };
  EXPECT_THAT(refusal([&](auto& s) { diffusers(s), s.steps = 1000; }),
              HasSubstr("Choose at most 999"));
  EXPECT_EQ(plan([&](auto& s) { diffusers(s), s.steps = 999; }).size(), 999U);
}

TEST(PureNoise, IsNoPlaceForPlms) {
  DiffusionConfig diffusion;
  diffusion.zero_terminal_snr = true;
  diffusion.prediction = "v_prediction";
  EXPECT_THAT(refusal([](auto& s) { s.sampler = "plms"; }, diffusion), HasSubstr("without signal"));
  EXPECT_EQ(plan([](auto& s) { s.sampler = "dpmpp_2m"; }, diffusion).front().levels.from, 0.0);
}

}  // namespace
}  // namespace effuse
