#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "diffusion/schedule.hpp"
#include "support/gaussian_mixture.hpp"

namespace effuse {
namespace {

using namespace testing_support;

/// How the error falls when the steps become eight times as many: it is divided by 8^order.
double order_of(SamplerKind kind) {
  const Schedule schedule{DiffusionConfig{}};
  const GaussianMixture mixture;
  const at::Tensor noise = at::linspace(-2.5, 2.5, 128, at::kDouble).view({2, 1, 8, 8});
  SamplerSettings settings;
  settings.kind = kind;
  settings.clip = Clip::no;
  const auto run = [&](std::int64_t intervals) {
    return solve(settings, mixture,
                 equal_lambda_levels(schedule.alpha_bar(999), schedule.alpha_bar(0), intervals),
                 noise);
  };
  settings.kind = SamplerKind::dpmpp_2m;
  const at::Tensor fine = run(16384);
  settings.kind = kind;
  return std::log(rms_error(run(64), fine) / rms_error(run(512), fine)) / std::log(8.0);
}

TEST(SamplerOrder, OfDdimIsOne) { EXPECT_NEAR(order_of(SamplerKind::ddim), 1.0, 0.05); }

TEST(SamplerOrder, OfPlmsIsTwo) { EXPECT_NEAR(order_of(SamplerKind::plms), 2.0, 0.05); }

TEST(SamplerOrder, OfDpmpp2mIsTwo) { EXPECT_NEAR(order_of(SamplerKind::dpmpp_2m), 2.0, 0.05); }

}  // namespace
}  // namespace effuse
