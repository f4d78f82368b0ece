#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <string>

#include "golden/golden.hpp"
#include "models/factory.hpp"
#include "models/network.hpp"
#include "models/weights.hpp"
#include "small_network.hpp"

namespace effuse {
namespace {

/// A small network in float64 and a scalar function of its prediction.
class IddmGradient : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    initialise_weights(*network_, 3);
    network_->to(at::kDouble);
  }

  at::Tensor loss() {
    const at::Tensor prediction =
        network_->forward(x_, at::tensor({10, 900}, at::kLong), at::tensor({1, 3}, at::kLong));
    return (prediction * golden::cotangent(prediction.sizes())).sum();
  }

  /// The derivative of the loss by `tensor` in a direction, from central differences.
  double difference(const at::Tensor& tensor, const at::Tensor& direction) {
    constexpr double kStep = 1e-5;
    const at::NoGradGuard no_grad;
    const at::Tensor origin = tensor.clone();
    const auto loss_at = [&](double step) {
      at::Tensor(tensor).copy_(origin + step * direction);
      return loss().item<double>();
    };
    const double derivative = (loss_at(kStep) - loss_at(-kStep)) / (2.0 * kStep);
    at::Tensor(tensor).copy_(origin);
    return derivative;
  }

  std::shared_ptr<Network> network_ = make_network(small_iddm_network(GetParam()));
  at::Tensor x_ = golden::images({2, 1, 16, 32});
};

TEST_P(IddmGradient, IsThatOfFiniteDifferencesForEveryTensor) {
  x_.requires_grad_();
  loss().backward();
  std::vector<std::pair<std::string, at::Tensor>> tensors = {{"x", x_}};
  for (const auto& item : network_->named_parameters()) {
    if (item.value().requires_grad()) tensors.emplace_back(item.key(), item.value());
  }
  for (const auto& [name, tensor] : tensors) {
    const at::Tensor direction = golden::wave(tensor.sizes(), 1.0, 0.71, 0.3);
    const at::Tensor gradient = tensor.grad();
    const double scale = (gradient.norm() * direction.norm()).item<double>();
    EXPECT_NEAR(difference(tensor, direction), (gradient * direction).sum().item<double>(),
                1e-6 * scale + 1e-8)
        << name;
  }
}

TEST_P(IddmGradient, ReachesAllWeightsButTheUnusedOnes) {
  loss().backward();
  std::int64_t unused = 0;
  for (const auto& item : network_->named_parameters()) {
    const at::Tensor& weight = item.value();
    const bool is_unused = item.key().find(".csp.") != std::string::npos;
    EXPECT_EQ(weight.requires_grad(), !is_unused) << item.key();
    EXPECT_EQ(weight.grad().defined(), !is_unused) << item.key();
    if (is_unused) {
      unused += weight.numel();
      continue;
    }
    EXPECT_TRUE(weight.grad().isfinite().all().item<bool>()) << item.key();
    EXPECT_GT(weight.grad().abs().max().item<double>(), 0.0) << item.key();
  }
  EXPECT_EQ(count_unused_parameters(*network_), unused);
  EXPECT_EQ(unused > 0, std::string(GetParam()) == "cspdarkunet");
}

TEST_P(IddmGradient, UnusedWeightsAreWithoutEffect) {
  const at::NoGradGuard no_grad;
  const double before = loss().item<double>();
  for (const auto& item : network_->named_parameters()) {
    if (!item.value().requires_grad()) item.value().fill_(7.0);
  }
  EXPECT_EQ(loss().item<double>(), before);
}

INSTANTIATE_TEST_SUITE_P(All, IddmGradient, testing::Values("unet", "cspdarkunet"),
                         [](const auto& test) { return std::string(test.param); });

}  // namespace
}  // namespace effuse
