#include "diffusion/draws.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <numeric>
#include <vector>

#include "core/error.hpp"
#include "core/random.hpp"

namespace effuse {
namespace {

std::vector<std::int64_t> positions(std::int64_t begin, std::int64_t end) {
  std::vector<std::int64_t> result(static_cast<std::size_t>(end - begin));
  std::iota(result.begin(), result.end(), begin);
  return result;
}

TrainingDrawSettings settings() {
  TrainingDrawSettings settings;
  settings.seed = 7;
  settings.label_drop = 0.25;
  settings.null_class = 10;
  return settings;
}

TrainingDraws draw(std::int64_t begin, std::int64_t end) {
  return draw_for_training(settings(), positions(begin, end), {3, 5, 4},
                           at::arange(begin, end).remainder(10));
}

TEST(Draws, DoNotDependOnHowABatchIsSplit) {
  const TrainingDraws whole = draw(100, 164);
  const TrainingDraws first = draw(100, 117);
  const TrainingDraws second = draw(117, 164);
  EXPECT_TRUE(at::equal(whole.t, at::cat({first.t, second.t})));
  EXPECT_TRUE(at::equal(whole.noise, at::cat({first.noise, second.noise})));
  EXPECT_TRUE(at::equal(whole.labels, at::cat({first.labels, second.labels})));
}

TEST(Draws, AreThoseOfTheRandomStreams) {
  const TrainingDraws draws = draw(40, 42);
  for (std::int64_t i = 0; i < 2; ++i) {
    const auto position = static_cast<std::uint64_t>(40 + i);
    EXPECT_EQ(draws.t[i].item<std::int64_t>(),
              RandomStream(7, Purpose::time_step, position).below(1000));
    std::vector<float> noise(60);
    RandomStream(7, Purpose::noise, position).fill_normal(noise);
    EXPECT_TRUE(at::equal(draws.noise[i].flatten(), at::tensor(noise)));
  }
}

TEST(Draws, CoverAllTimeStepsEvenly) {
  TrainingDrawSettings few = settings();
  few.timesteps = 10;
  const at::Tensor t = draw_for_training(few, positions(0, 10000), {1, 1, 1}, {}).t;
  const at::Tensor counts = at::bincount(t, {}, 10);
  EXPECT_GT(counts.min().item<std::int64_t>(), 850);
  EXPECT_LT(counts.max().item<std::int64_t>(), 1150);
}

TEST(Draws, OfNoiseAreStandardNormal) {
  const at::Tensor noise = draw(0, 500).noise;
  EXPECT_NEAR(noise.mean().item<double>(), 0.0, 0.02);
  EXPECT_NEAR(noise.std().item<double>(), 1.0, 0.02);
}

TEST(Draws, DropTheRightShareOfLabelsImageByImage) {
  const TrainingDraws draws = draw(0, 4000);
  const at::Tensor dropped = draws.labels.eq(10);
  EXPECT_NEAR(dropped.to(at::kDouble).mean().item<double>(), 0.25, 0.03);
  const at::Tensor labels = at::arange(0, 4000).remainder(10);
  EXPECT_TRUE(at::equal(at::where(dropped, labels, draws.labels), labels));
}

TEST(Draws, LeaveTheGivenLabelsAlone) {
  const at::Tensor labels = at::zeros({100}, at::kLong);
  draw_for_training(settings(), positions(0, 100), {1, 1, 1}, labels);
  EXPECT_TRUE(labels.eq(0).all().item<bool>());
}

TEST(Draws, NeedNoLabels) {
  EXPECT_FALSE(draw_for_training(settings(), positions(0, 3), {1, 2, 2}, {}).labels.defined());
}

TEST(Draws, RefuseToDropWithoutANullClass) {
  TrainingDrawSettings without = settings();
  without.null_class = -1;
  const at::Tensor labels = at::zeros({3}, at::kLong);
  EXPECT_THROW(draw_for_training(without, positions(0, 3), {1, 2, 2}, labels), ConfigError);
  without.label_drop = 0.0;
  EXPECT_TRUE(
      at::equal(draw_for_training(without, positions(0, 3), {1, 2, 2}, labels).labels, labels));
}

TEST(Draws, RefuseLabelsOfAnotherNumber) {
  EXPECT_THROW(draw_for_training(settings(), positions(0, 3), {1, 2, 2}, at::zeros({2}, at::kLong)),
               ConfigError);
}

TEST(SamplingNoise, DependsOnTheImageIndexAndTheStepAlone) {
  const std::vector<std::int64_t> both{4, 9};
  const std::vector<std::int64_t> one{9};
  EXPECT_TRUE(at::equal(initial_noise(1, both, {1, 3, 3})[1], initial_noise(1, one, {1, 3, 3})[0]));
  EXPECT_TRUE(at::equal(step_noise(1, both, {1, 3, 3}, 5)[1], step_noise(1, one, {1, 3, 3}, 5)[0]));
  EXPECT_FALSE(at::equal(step_noise(1, one, {1, 3, 3}, 5), step_noise(1, one, {1, 3, 3}, 6)));
  EXPECT_FALSE(at::equal(step_noise(1, one, {1, 3, 3}, 0), initial_noise(1, one, {1, 3, 3})));
}

}  // namespace
}  // namespace effuse
