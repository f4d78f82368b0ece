#include "kernels/group_norm.hpp"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <array>
#include <cmath>

#include "core/error.hpp"
#include "support/error_message.hpp"
#include "unit/kernels/every_processor.hpp"
#include "unit/kernels/gradients.hpp"

namespace effuse {
namespace {

enum class Weights { shared, of_each_image };

/// What is normalised, its weights and biases, and a gradient of the result.
struct Inputs {
  Tensors leaves;
  at::Tensor gradient;
  std::int64_t groups;
};

Inputs random_inputs(at::IntArrayRef sizes, std::int64_t groups, at::ScalarType type,
                     Weights weights = Weights::shared) {
  at::manual_seed(5);
  const auto of_weights = weights == Weights::shared ? sizes.slice(1, 1) : sizes.slice(0, 2);
  // Channels differ in size and place, as those of convolutions do.
  const at::Tensor x =
      at::randn(sizes) * (at::rand({sizes[1], 1, 1}) + 0.5) + at::randn({sizes[1], 1, 1});
  return {{x.to(type), at::randn(of_weights) + 1, at::randn(of_weights)},
          at::randn(sizes).to(type),
          groups};
}

Tensors by_our_kernel(const Inputs& inputs, AfterNorm then) {
  return result_and_gradients(inputs.leaves, inputs.gradient, [&](const Tensors& x) {
    return group_norm(x[0], {x[1], x[2], inputs.groups, 1e-5, then});
  });
}

/// In fp64, as the definition has it.
Tensors by_definition(const Inputs& inputs, AfterNorm then) {
  return result_and_gradients(
      in_fp64(inputs.leaves), inputs.gradient.to(at::kDouble), [&](const Tensors& leaves) {
        const at::Tensor& x = leaves[0];
        const at::Tensor grouped = x.reshape({x.size(0), inputs.groups, -1});
        const at::Tensor centred = grouped - grouped.mean(2, true);
        const at::Tensor normalised =
            (centred / (centred.square().mean(2, true) + 1e-5).sqrt()).view(x.sizes());
        const auto each = [&](const at::Tensor& of) { return of.unsqueeze(-1).unsqueeze(-1); };
        const at::Tensor z = normalised * each(leaves[1]) + each(leaves[2]);
        return then == AfterNorm::silu ? z * at::sigmoid(z) : z;
      });
}

void expect_close(const Inputs& inputs, double tolerance) {
  ASSERT_TRUE(uses_own_group_norm(inputs.leaves[0]));
  for (const AfterNorm then : {AfterNorm::nothing, AfterNorm::silu}) {
    const Tensors ours = by_our_kernel(inputs, then), exact = by_definition(inputs, then);
    for (std::size_t i = 0; i < ours.size(); ++i) {
      EXPECT_EQ(ours[i].scalar_type(), i < 2 ? inputs.leaves[0].scalar_type() : at::kFloat);
      EXPECT_EQ(ours[i].sizes(), exact[i].sizes());
      EXPECT_LE(relative_error(ours[i], exact[i]), tolerance)
          << std::array{"result", "gradient of x", "gradient of weight", "gradient of bias"}[i]
          << " of " << inputs.leaves[0].sizes() << (then == AfterNorm::silu ? " with SiLU" : "");
    }
  }
}

/// The same, with each pixel's channels side by side.
Inputs channels_last(Inputs inputs) {
  inputs.leaves[0] = inputs.leaves[0].contiguous(at::MemoryFormat::ChannelsLast);
  return inputs;
}

void expect_close_in_both_layouts(const Inputs& inputs, double tolerance) {
  expect_close(inputs, tolerance);
  expect_close(channels_last(inputs), tolerance);
}

class GroupNormKernel : public EveryProcessor {};

TEST_P(GroupNormKernel, FollowsTheDefinitionAtAllSizes) {
  // Pixels around vectors, and groups beyond a block of 4096.
  for (const std::int64_t side : {2, 3, 4, 7, 8, 32, 70}) {
    expect_close_in_both_layouts(random_inputs({2, 6, side, side}, 3, at::kFloat), 2e-6);
  }
  expect_close_in_both_layouts(random_inputs({2, 6, 1, 1}, 3, at::kFloat),
                               1e-5);  // two numbers: cancellation
  expect_close_in_both_layouts(random_inputs({1, 4, 1, 33}, 1, at::kFloat), 2e-6);
  expect_close_in_both_layouts(random_inputs({3, 4, 5, 5}, 4, at::kFloat), 2e-6);
  // Channels around chunks of vectors, and tiles.
  for (const std::int64_t channels : {8, 16, 24, 32, 40, 64, 72}) {
    expect_close_in_both_layouts(random_inputs({2, channels, 24, 23}, 8, at::kFloat), 2e-6);
    expect_close_in_both_layouts(random_inputs({2, channels, 6, 5}, 1, at::kFloat), 2e-6);
  }
}

TEST_P(GroupNormKernel, TakesWeightsOfEachImage) {
  expect_close_in_both_layouts(random_inputs({3, 6, 9, 9}, 2, at::kFloat, Weights::of_each_image),
                               2e-6);
}

TEST_P(GroupNormKernel, RoundsHalfPrecisionOnlyAtTheEnd) {
  expect_close_in_both_layouts(random_inputs({2, 8, 16, 16}, 4, at::kBFloat16), 3e-3);
  for (const std::int64_t channels : {8, 40, 64}) {
    expect_close_in_both_layouts(random_inputs({2, channels, 7, 7}, 4, at::kBFloat16), 3e-3);
  }
}

TEST_P(GroupNormKernel, StandsLargeNumbersAndNone) {
  for (const double factor : {1e4, 0.0}) {
    Inputs inputs = random_inputs({2, 4, 6, 6}, 2, at::kFloat);
    inputs.leaves[0] *= factor;
    inputs.leaves[1] *= 300;  // SiLU far out on both sides
    for (const at::Tensor& x : by_our_kernel(inputs, AfterNorm::silu)) {
      EXPECT_TRUE(x.isfinite().all().item<bool>()) << factor;
    }
    EXPECT_LE(relative_error(by_our_kernel(inputs, AfterNorm::silu)[0],
                             by_definition(inputs, AfterNorm::silu)[0]),
              1e-5);
  }
}

TEST_P(GroupNormKernel, SpreadsNanOverItsGroupAlone) {
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
    Inputs inputs = random_inputs({2, 4, 6, 6}, 2, type);
    inputs.leaves[0][1][2][3][3] = -std::nan("5");
    for (const Inputs& laid_out : {inputs, channels_last(inputs)}) {
      const Tensors results = by_our_kernel(laid_out, AfterNorm::silu);
      for (int i = 0; i < 2; ++i) {  // the result, and the gradient of x
        const at::Tensor nan = results[i].isnan();
        EXPECT_TRUE(nan[1].slice(0, 2, 4).all().item<bool>()) << i;
        EXPECT_EQ(nan.sum().item<int>(), 2 * 36) << i;
      }
    }
  }
}

TEST_P(GroupNormKernel, IsTheSameAtAnyNumberOfThreads) {
  const Inputs inputs = random_inputs({5, 66, 11, 11}, 3, at::kBFloat16);
  for (const Inputs& laid_out : {inputs, channels_last(inputs)}) {
    at::set_num_threads(1);
    const Tensors one = by_our_kernel(laid_out, AfterNorm::silu);
    at::set_num_threads(2);
    const Tensors two = by_our_kernel(laid_out, AfterNorm::silu);
    expect_equal(one, two);
  }
}

INSTANTIATE_TEST_SUITE_P(On, GroupNormKernel, EveryProcessor::values(), EveryProcessor::name);

TEST(GroupNorm, LeavesOtherKindsToLibtorch) {
  Inputs inputs = random_inputs({2, 8, 6, 6}, 4, at::kDouble, Weights::of_each_image);
  for (at::Tensor& x : inputs.leaves) x = x.to(at::kDouble);
  EXPECT_FALSE(uses_own_group_norm(inputs.leaves[0]));
  for (const AfterNorm then : {AfterNorm::nothing, AfterNorm::silu}) {
    const Tensors ours = by_our_kernel(inputs, then), exact = by_definition(inputs, then);
    for (std::size_t i = 0; i < ours.size(); ++i) {
      EXPECT_LE(relative_error(ours[i], exact[i]), 1e-14);
    }
  }
  EXPECT_FALSE(uses_own_group_norm(at::randn({2, 8, 6, 6}).to(at::kHalf)));
  EXPECT_FALSE(uses_own_group_norm(at::randn({2, 6, 6, 8}).permute({0, 3, 2, 1})));
}

TEST(GroupNorm, KeepsTheLayout) {
  const Inputs inputs = channels_last(random_inputs({2, 8, 6, 6}, 2, at::kFloat));
  const Tensors results = by_our_kernel(inputs, AfterNorm::silu);
  EXPECT_TRUE(results[0].is_contiguous(at::MemoryFormat::ChannelsLast));
  EXPECT_TRUE(results[1].is_contiguous(at::MemoryFormat::ChannelsLast));
}

TEST(GroupNorm, RefusesSizesThatDoNotFit) {
  const at::Tensor x = at::randn({2, 8, 6, 6});
  EXPECT_THROW(group_norm(x, {at::ones({8}), at::zeros({8}), 3}), Error);
  EXPECT_THROW(group_norm(x, {at::ones({6}), at::zeros({6}), 2}), Error);
  EXPECT_THROW(group_norm(x, {at::ones({8}), at::zeros({2, 8}), 2}), Error);
  EXPECT_THROW(group_norm(at::randn({8}), {at::ones({0}), at::zeros({0}), 1}), Error);
}

TEST(GroupNorm, HasNoSecondDerivative) {
  const at::Tensor x = at::randn({1, 2, 4, 4}).set_requires_grad(true);
  const at::Tensor y = group_norm(x, {at::ones({2}), at::zeros({2}), 1});
  const std::string message = message_of<Error>([&] {
    torch::autograd::grad({y}, {x}, {at::ones_like(y)}, /*retain_graph=*/true,
                          /*create_graph=*/true);
  });
  EXPECT_NE(message.find("second derivative"), std::string::npos);
}

}  // namespace
}  // namespace effuse
