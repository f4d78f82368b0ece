#include "training/step_control.hpp"

#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include <cmath>
#include <limits>

#include "golden/golden.hpp"

namespace effuse {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

Config fp16(double scale, std::int64_t growth_steps) {
  Config config;
  config.precision.compute = "fp16";
  config.precision.loss_scale = scale;
  config.precision.loss_scale_growth_steps = growth_steps;
  config.optimizer.grad_clip = 0.0;
  return config;
}

Config with_spikes(double factor) {
  Config config;
  config.recovery.spike_factor = factor;
  config.optimizer.grad_clip = 0.0;
  return config;
}

/// The judgement of a step with gradients of this norm, before unscaling.
Verdict judge(StepControl& control, double norm, double loss = 1.0) {
  const at::Tensor gradients = at::full({4}, norm / 2.0, at::kFloat);
  return control.judge(gradients, at::scalar_tensor(loss, at::kDouble));
}

bool is_good(StepControl& control, double norm, double loss = 1.0) {
  return judge(control, norm, loss).good.item<double>() == 1.0;
}

double scale_after(StepControl& control, double norm) {
  judge(control, norm);
  return control.loss_scale().item<double>();
}

/// A control that has seen `steps` good steps of norm 1.
StepControl after_good_steps(const Config& config, int steps) {
  StepControl control(config, at::kCPU);
  for (int i = 0; i < steps; ++i) EXPECT_TRUE(is_good(control, 1.0)) << i;
  return control;
}

// Doubled after growth_steps steps in a row without an overflow, halved by each overflow, from both
// of which the steps are counted anew.
TEST(LossScale, runs_as_that_of_torchs_grad_scaler) {
  const auto golden = golden::load("grad_scaler.json");
  const auto overflows = golden.at("overflows").get<std::vector<bool>>();
  const auto scales = golden.at("scales").get<std::vector<double>>();
  StepControl control(fp16(golden.at("initial"), golden.at("growth_steps")), at::kCPU);
  ASSERT_EQ(overflows.size(), scales.size());
  for (std::size_t i = 0; i < scales.size(); ++i) {
    EXPECT_EQ(control.loss_scale().item<double>(), scales[i]) << "step " << i;
    const Verdict verdict = judge(control, overflows[i] ? kInfinity : 1.0);
    EXPECT_EQ(verdict.loss_scale.item<double>(), scales[i]) << "what the gradients bear";
    EXPECT_EQ(verdict.good.item<double>(), overflows[i] ? 0.0 : 1.0);
  }
}

TEST(LossScale, has_a_floor_and_a_cap) {
  StepControl low(fp16(4, 2), at::kCPU);
  EXPECT_EQ(scale_after(low, kInfinity), 2.0);
  EXPECT_EQ(scale_after(low, kInfinity), 1.0);
  EXPECT_EQ(scale_after(low, kInfinity), 1.0);
  EXPECT_EQ(scale_after(low, 1.0), 1.0);
  EXPECT_EQ(scale_after(low, 1.0), 2.0) << "it grows from the floor as from anywhere";
  StepControl high(fp16(1 << 23, 1), at::kCPU);
  EXPECT_EQ(scale_after(high, 1.0), 1 << 24);
  EXPECT_EQ(scale_after(high, 1.0), 1 << 24);
}

TEST(LossScale, is_there_for_fp16_alone) {
  for (const char* compute : {"fp32", "bf16"}) {
    Config config = fp16(1024, 2);
    config.precision.compute = compute;
    StepControl control(config, at::kCPU);
    EXPECT_FALSE(control.loss_scale().defined()) << compute;
    for (const double norm : {kInfinity, 1.0, 1.0, 1.0}) {
      EXPECT_EQ(judge(control, norm).loss_scale.item<double>(), 1.0) << compute;
    }
  }
}

TEST(Verdict, is_bad_of_what_is_not_finite) {
  for (const Config& config : {Config{}, with_spikes(0), fp16(1, 100)}) {
    StepControl control(config, at::kCPU);
    EXPECT_TRUE(is_good(control, 1.0));
    EXPECT_FALSE(is_good(control, kNan));
    EXPECT_FALSE(is_good(control, kInfinity));
    EXPECT_FALSE(is_good(control, 1.0, kNan)) << "the loss counts too";
    EXPECT_FALSE(is_good(control, 1.0, -kInfinity));
    EXPECT_TRUE(is_good(control, 1.0)) << "what was bad leaves nothing behind";
    EXPECT_EQ(control.state().updates, 2);
    EXPECT_EQ(control.state().norm_count, 2);
    EXPECT_EQ(control.state().norm_average, 1.0);
  }
}

TEST(Verdict, sees_one_bad_number_among_many) {
  StepControl control(Config{}, at::kCPU);
  at::Tensor gradients = at::ones({100000});
  gradients[77777] = kNan;
  EXPECT_EQ(control.judge(gradients, at::zeros({}, at::kDouble)).good.item<double>(), 0.0);
}

TEST(Verdict, of_large_fp32_gradients_is_good_where_their_squares_overflow) {
  StepControl control(Config{}, at::kCPU);
  const Verdict verdict = judge(control, 1e30);
  EXPECT_EQ(verdict.good.item<double>(), 1.0);
  EXPECT_NEAR(verdict.grad_norm.item<double>() / 1e30, 1.0, 1e-6);
}

TEST(Verdict, counts_updates_by_good_steps) {
  StepControl control(Config{}, at::kCPU);
  EXPECT_EQ(judge(control, 1.0).update.item<double>(), 1.0);
  EXPECT_EQ(judge(control, kNan).update.item<double>(), 2.0) << "which it is if it is good";
  EXPECT_EQ(judge(control, 1.0).update.item<double>(), 2.0);
  EXPECT_EQ(control.state().updates, 2);
}

TEST(Spike, is_none_before_a_hundred_good_steps) {
  StepControl settling = after_good_steps(with_spikes(20), 99);
  EXPECT_TRUE(is_good(settling, 1e6));
  StepControl settled = after_good_steps(with_spikes(20), 100);
  EXPECT_FALSE(is_good(settled, 1e6));
}

TEST(Spike, begins_above_the_factor_times_the_average) {
  StepControl control = after_good_steps(with_spikes(20), 100);
  const ControlState before = control.state();
  EXPECT_FALSE(is_good(control, 20.01));
  EXPECT_EQ(control.state(), before) << "a spike does not make the next one seem small";
  EXPECT_TRUE(is_good(control, 19.99));
  EXPECT_NEAR(control.state().norm_average, 1.0 + 0.02 * 18.99, 1e-6);
  EXPECT_TRUE(is_good(control, 20.01)) << "the average has moved";
}

TEST(Spike, counts_good_steps_alone) {
  StepControl control = after_good_steps(with_spikes(20), 99);
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(is_good(control, kNan));
  EXPECT_TRUE(is_good(control, 100.0));
}

TEST(Spike, is_none_where_the_factor_is_zero) {
  StepControl control = after_good_steps(with_spikes(0), 200);
  EXPECT_TRUE(is_good(control, 1e6));
}

TEST(Spike, is_measured_without_the_loss_scale) {
  Config config = fp16(1024, 1000);
  config.recovery.spike_factor = 20;
  StepControl control(config, at::kCPU);
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(is_good(control, 1024.0));
  judge(control, kInfinity);
  EXPECT_EQ(control.loss_scale().item<double>(), 512.0);
  EXPECT_TRUE(is_good(control, 512.0 * 19)) << "19 times the average of 1";
  EXPECT_FALSE(is_good(control, 512.0 * 40));
  EXPECT_EQ(control.loss_scale().item<double>(), 512.0) << "a spike is no overflow";
}

double factor(double grad_clip, double norm, double scale = 1.0) {
  Config config = scale > 1.0 ? fp16(scale, 1000) : Config{};
  config.optimizer.grad_clip = grad_clip;
  StepControl control(config, at::kCPU);
  return judge(control, norm).grad_factor.item<double>();
}

// As torch.nn.utils.clip_grad_norm_: max_norm / (norm + 1e-6), where that is below 1.
TEST(GradFactor, clips_what_is_above_the_largest_norm) {
  EXPECT_NEAR(factor(1.0, 4.0), 1.0 / (4.0 + 1e-6), 1e-12);
  EXPECT_NEAR(factor(0.5, 4.0), 0.5 / (4.0 + 1e-6), 1e-12);
  EXPECT_EQ(factor(1.0, 0.5), 1.0);
  EXPECT_EQ(factor(0.0, 1e9), 1.0) << "0 clips nothing";
}

TEST(GradFactor, takes_the_loss_scale_away) {
  EXPECT_EQ(factor(0.0, 4096.0, 1024.0), 1.0 / 1024.0);
  EXPECT_NEAR(factor(1.0, 4096.0, 1024.0), 1.0 / (4.0 + 1e-6) / 1024.0, 1e-15)
      << "clipped by the norm without it";
}

TEST(StepControl, goes_on_from_its_state_as_if_it_had_never_stopped) {
  Config config = fp16(1024, 3);
  config.recovery.spike_factor = 20;
  const std::vector<double> norms = {1.0, 2.0, kInfinity, 3.0, 1.0, 1.5, 2.5, 1.0, kInfinity, 1.0};
  StepControl whole(config, at::kCPU), first(config, at::kCPU);
  for (std::size_t i = 0; i < norms.size(); ++i) {
    StepControl second(config, at::kCPU);
    second.restore(first.state());
    const Verdict a = judge(whole, norms[i]), b = judge(second, norms[i]);
    EXPECT_EQ(a.good.item<double>(), b.good.item<double>()) << i;
    EXPECT_EQ(a.update.item<double>(), b.update.item<double>()) << i;
    EXPECT_EQ(a.grad_factor.item<double>(), b.grad_factor.item<double>()) << i;
    EXPECT_EQ(whole.state(), second.state()) << i;
    first.restore(second.state());
  }
  EXPECT_EQ(whole.state().updates, 8);
}

TEST(StepControl, begins_its_scale_as_in_a_new_run_where_the_type_was_changed) {
  StepControl half(fp16(1024, 3), at::kCPU);
  judge(half, 1.0);
  StepControl single(Config{}, at::kCPU);
  single.restore(half.state());
  EXPECT_EQ(judge(single, 4.0).loss_scale.item<double>(), 1.0) << "gradients bear no scale now";
  EXPECT_EQ(single.state().updates, 2);
  StepControl again(fp16(1024, 3), at::kCPU);
  again.restore(single.state());
  EXPECT_EQ(again.loss_scale().item<double>(), 1024.0);
  EXPECT_EQ(again.state().updates, 2);
  EXPECT_EQ(again.state().clean_steps, 0);
}

TEST(StepControl, gives_back_every_number_that_it_was_given) {
  const ControlState state{.loss_scale = 256.0,
                           .clean_steps = 7,
                           .updates = 1234567,
                           .norm_average = 0.1234567890123,
                           .norm_count = 1200000,
                           .lr_factor = 0.25,
                           .restores = 2};
  StepControl control(fp16(65536, 2000), at::kCPU);
  control.restore(state);
  EXPECT_EQ(control.state(), state);
  EXPECT_EQ(control.lr_factor(), 0.25);
  EXPECT_EQ(control.loss_scale().item<double>(), 256.0);
}

}  // namespace
}  // namespace effuse
