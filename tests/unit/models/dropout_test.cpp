#include "models/dropout.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <vector>

#include "core/error.hpp"
#include "models/factory.hpp"
#include "models/network.hpp"
#include "models/weights.hpp"
#include "small_network.hpp"

namespace effuse {
namespace {

constexpr std::uint64_t kSeed = 11;

std::shared_ptr<Network> network_with_dropout(double probability) {
  ModelConfig config = small_network();
  config.dropout = probability;
  auto network = make_network(config);
  initialise_weights(*network, 2);
  return network;
}

/// Predictions for images [begin, end) of a fixed batch, whose positions are 100 + their number.
at::Tensor predict(Network& network, std::int64_t begin, std::int64_t end) {
  const at::NoGradGuard no_grad;
  const at::Tensor x = at::arange(6 * 64, at::kFloat).reshape({6, 1, 8, 8}).sin();
  std::vector<std::int64_t> positions;
  for (std::int64_t i = begin; i < end; ++i) positions.push_back(100 + i);
  network.set_dropout_positions(kSeed, positions);
  return network.forward(x.slice(0, begin, end), at::full({end - begin}, 10, at::kLong),
                         at::zeros({end - begin}, at::kLong));
}

TEST(Dropout, KeepsAndScalesTheRightShare) {
  const auto positions = std::make_shared<DropoutPositions>();
  Dropout dropout(0.25, positions);
  positions->set(kSeed, std::vector<std::int64_t>{3, 4});
  const at::Tensor kept = dropout.forward(at::ones({2, 8, 50, 50}));
  EXPECT_TRUE((kept.eq(0) | kept.eq(1.0F / 0.75F)).all().item<bool>());
  EXPECT_NEAR(kept.eq(0).to(at::kFloat).mean().item<double>(), 0.25, 0.01);
  EXPECT_FALSE(at::equal(kept[0], kept[1]));
}

TEST(Dropout, LayersDrawDifferentMasks) {
  const auto positions = std::make_shared<DropoutPositions>();
  Dropout first(0.5, positions);
  Dropout second(0.5, positions);
  positions->set(kSeed, std::vector<std::int64_t>{3});
  const at::Tensor ones = at::ones({1, 100});
  EXPECT_FALSE(at::equal(first.forward(ones), second.forward(ones)));
  EXPECT_TRUE(at::equal(first.forward(ones), first.forward(ones)));
}

TEST(Dropout, DoesNotDependOnHowABatchIsSplit) {
  const auto network = network_with_dropout(0.3);
  const at::Tensor whole = predict(*network, 0, 6);
  const at::Tensor parts =
      at::cat({predict(*network, 0, 1), predict(*network, 1, 4), predict(*network, 4, 6)});
  EXPECT_LT((whole - parts).abs().max().item<double>(), 1e-5);
  network->eval();
  EXPECT_GT((predict(*network, 0, 6) - whole).abs().max().item<double>(), 1e-3);
}

TEST(Dropout, WithoutPositionsIsAnErrorInTrainingOnly) {
  const auto network = network_with_dropout(0.3);
  const auto forward = [&] {
    network->forward(at::zeros({2, 1, 8, 8}), at::zeros({2}, at::kLong), at::zeros({2}, at::kLong));
  };
  EXPECT_THROW(forward(), ConfigError);
  network->set_dropout_positions(kSeed, std::vector<std::int64_t>{0, 1});
  EXPECT_NO_THROW(forward());
  EXPECT_THROW(forward(), ConfigError) << "positions hold for one pass";
  network->set_dropout_positions(kSeed, std::vector<std::int64_t>{0, 1, 2});
  EXPECT_THROW(forward(), ConfigError);
  network->eval();
  EXPECT_NO_THROW(forward());
}

TEST(Dropout, OfProbabilityZeroNeedsNoPositions) {
  const auto network = network_with_dropout(0.0);
  EXPECT_NO_THROW(network->forward(at::zeros({2, 1, 8, 8}), at::zeros({2}, at::kLong),
                                   at::zeros({2}, at::kLong)));
}

}  // namespace
}  // namespace effuse
