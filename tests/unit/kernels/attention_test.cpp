#include "kernels/attention.hpp"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <array>
#include <cmath>
#include <limits>

#include "core/error.hpp"
#include "support/error_message.hpp"
#include "unit/kernels/every_processor.hpp"
#include "unit/kernels/gradients.hpp"

namespace effuse {
namespace {

/// Queries, keys and values as networks have them, and a gradient of the result.
struct Inputs {
  Tensors qkv;
  at::Tensor gradient;
};

Inputs random_inputs(at::IntArrayRef sizes, at::ScalarType type, double spread = 1.0) {
  at::manual_seed(3);
  const auto random = [&] {
    const at::Tensor x = at::randn({sizes[0], sizes[2], sizes[1], sizes[3]});
    return (x * spread).to(type).transpose(1, 2);
  };
  return {{random(), random(), random()}, random()};
}

Tensors by_our_kernels(const Inputs& inputs) {
  return result_and_gradients(inputs.qkv, inputs.gradient,
                              [](const Tensors& x) { return attention(x[0], x[1], x[2]); });
}

/// In fp64, as the definition has it.
Tensors by_definition(const Inputs& inputs) {
  return result_and_gradients(
      in_fp64(inputs.qkv), inputs.gradient.to(at::kDouble), [](const Tensors& x) {
        const double scale = 1.0 / std::sqrt(static_cast<double>(x[0].size(3)));
        return at::matmul(at::softmax(at::matmul(x[0], x[1].transpose(2, 3)) * scale, -1), x[2]);
      });
}

void expect_close(const Inputs& inputs, double tolerance) {
  ASSERT_TRUE(uses_own_attention(inputs.qkv[0], inputs.qkv[1], inputs.qkv[2]));
  const Tensors ours = by_our_kernels(inputs), exact = by_definition(inputs);
  for (std::size_t i = 0; i < ours.size(); ++i) {
    EXPECT_EQ(ours[i].scalar_type(), inputs.qkv[0].scalar_type());
    EXPECT_EQ(ours[i].sizes(), exact[i].sizes());
    EXPECT_LE(relative_error(ours[i], exact[i]), tolerance)
        << std::array{"result", "gradient of q", "gradient of k", "gradient of v"}[i] << " of "
        << inputs.qkv[0].sizes() << ' ' << inputs.qkv[0].scalar_type();
  }
}

class AttentionKernels : public EveryProcessor {};

TEST_P(AttentionKernels, FollowTheDefinitionAtAllSizes) {
  // Around vectors, blocks of keys, tiles of keys (128, 512) and of queries (32, 256).
  for (const std::int64_t length : {1, 3, 8, 17, 31, 32, 100, 129, 256, 600}) {
    expect_close(random_inputs({1, 2, length, 8}, at::kFloat), 2e-6);
  }
  for (const std::int64_t size : {1, 5, 9, 16, 24, 32}) {
    expect_close(random_inputs({2, 2, 37, size}, at::kFloat), 2e-6);
  }
}

TEST_P(AttentionKernels, RoundHalfPrecisionOnlyAtTheEnd) {
  for (const std::int64_t size : {5, 8, 16, 32, 40, 64}) {
    expect_close(random_inputs({2, 2, 100, size}, at::kBFloat16), 4e-3);
    expect_close(random_inputs({2, 2, 100, size}, at::kHalf), 5e-4);
  }
}

TEST_P(AttentionKernels, KeepLargeScores) {
  // Of some hundreds, whose exponentials no float holds.
  expect_close(random_inputs({1, 2, 150, 8}, at::kFloat, 10.0), 1e-4);
  for (const at::Tensor& x : by_our_kernels(random_inputs({1, 2, 150, 8}, at::kFloat, 1e6))) {
    EXPECT_TRUE(x.isfinite().all().item<bool>());
  }
}

TEST_P(AttentionKernels, SpreadNanOverWhatItTouchesAlone) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  Inputs inputs = random_inputs({1, 3, 50, 8}, at::kFloat);
  inputs.qkv[1][0][0][7][3] = nan;             // of a key: all rows of its head
  inputs.qkv[0][0][1][9][0] = -std::nan("5");  // of a query, with a payload: its row
  inputs.qkv[0][0][1][10][0] = std::numeric_limits<float>::infinity();
  const at::Tensor out = by_our_kernels(inputs)[0];
  EXPECT_TRUE(out[0][0].isnan().all().item<bool>());
  const at::Tensor rows = out[0][1].isnan().all(1);
  EXPECT_TRUE(at::equal(rows.nonzero().flatten(), at::tensor({9, 10}, at::kLong)));
  EXPECT_TRUE(out[0][2].isfinite().all().item<bool>());
  for (const at::Tensor& gradient : by_our_kernels(inputs)) {
    EXPECT_TRUE(gradient[0][1].isnan().any().item<bool>());
    EXPECT_TRUE(gradient[0][2].isfinite().all().item<bool>());
  }
}

TEST_P(AttentionKernels, TakeAnyStrides) {
  const Inputs dense = random_inputs({2, 3, 20, 8}, at::kFloat);
  // Columns lie apart, heads are views of one projection, one tensor is the same for all images.
  Inputs strided = dense;
  strided.qkv[0] = dense.qkv[0].transpose(2, 3).contiguous().transpose(2, 3);
  strided.qkv[1] = at::stack({dense.qkv[1], dense.qkv[1]}, 3).select(3, 1);
  strided.gradient = dense.gradient.transpose(2, 3).contiguous().transpose(2, 3);
  expect_equal(by_our_kernels(strided), by_our_kernels(dense));
  Inputs shared = dense;
  shared.qkv[2] = dense.qkv[2].slice(0, 0, 1).expand_as(dense.qkv[2]);
  expect_close(shared, 2e-6);
}

TEST_P(AttentionKernels, AreTheSameAtAnyNumberOfThreads) {
  const Inputs inputs = random_inputs({3, 2, 300, 8}, at::kBFloat16);
  at::set_num_threads(1);
  const Tensors one = by_our_kernels(inputs);
  at::set_num_threads(2);
  const Tensors two = by_our_kernels(inputs);
  at::set_num_threads(1);
  expect_equal(one, two);
}

INSTANTIATE_TEST_SUITE_P(On, AttentionKernels, EveryProcessor::values(), EveryProcessor::name);

TEST(Attention, ScalesAsAsked) {
  const Inputs inputs = random_inputs({1, 2, 20, 8}, at::kFloat);
  const Tensors& x = inputs.qkv;
  const at::Tensor theirs = at::scaled_dot_product_attention(x[0], x[1], x[2], {}, 0.0, false, 0.5);
  EXPECT_TRUE(at::allclose(attention(x[0], x[1], x[2], 0.5), theirs, 1e-5, 1e-6));
}

TEST(Attention, JoinsHeadsWithoutACopy) {
  const Tensors results = by_our_kernels(random_inputs({2, 3, 20, 8}, at::kBFloat16));
  for (const at::Tensor& x : results) EXPECT_TRUE(x.transpose(1, 2).is_contiguous());
}

TEST(Attention, LeavesWhatItsKernelsDoNotServeToLibtorch) {
  const Inputs narrow = random_inputs({1, 2, 20, 8}, at::kFloat);
  const auto serves = [](const Tensors& x) { return uses_own_attention(x[0], x[1], x[2]); };
  EXPECT_TRUE(serves(narrow.qkv));
  const Tensors fewer_keys{narrow.qkv[0], narrow.qkv[1].narrow(2, 0, 5),
                           narrow.qkv[2].narrow(2, 0, 5)};
  for (const Tensors& x : {random_inputs({1, 2, 20, 8}, at::kDouble).qkv,
                           random_inputs({1, 2, 20, 33}, at::kFloat).qkv,
                           random_inputs({1, 2, 20, 65}, at::kHalf).qkv, fewer_keys}) {
    EXPECT_FALSE(serves(x));
    EXPECT_TRUE(
        at::equal(attention(x[0], x[1], x[2]), at::scaled_dot_product_attention(x[0], x[1], x[2])));
  }
}

TEST(Attention, KeepsNothingWithoutGradients) {
  const Inputs inputs = random_inputs({1, 2, 20, 8}, at::kFloat);
  const at::Tensor q = inputs.qkv[0].detach().set_requires_grad(true);
  EXPECT_TRUE(attention(q, inputs.qkv[1], inputs.qkv[2]).requires_grad());
  const at::NoGradGuard no_grad;
  EXPECT_FALSE(attention(q, inputs.qkv[1], inputs.qkv[2]).requires_grad());
}

TEST(Attention, RefusesASecondDerivative) {
  const Inputs inputs = random_inputs({1, 2, 20, 8}, at::kFloat);
  const at::Tensor q = inputs.qkv[0].detach().set_requires_grad(true);
  const at::Tensor out = attention(q, inputs.qkv[1], inputs.qkv[2]);
  const std::string message = message_of<Error>([&] {
    torch::autograd::grad({out}, {q}, {inputs.gradient}, /*retain_graph=*/true,
                          /*create_graph=*/true);
  });
  EXPECT_NE(message.find("second derivative"), std::string::npos);
}

}  // namespace
}  // namespace effuse
