#include "training/restore.hpp"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/linear.h>

#include "checkpoint/safetensors.hpp"
#include "models/weights.hpp"
#include "support/temporary_folder.hpp"
#include "support/world.hpp"
#include "training/optimiser.hpp"
#include "unit/training/backward.hpp"

namespace effuse {
namespace {

using ::testing::HasSubstr;

const OptimizerConfig kSgd{.name = "sgd"};

/// Two layers; the weight of the first and the bias of the second are frozen.
struct PartlyFrozen {
  explicit PartlyFrozen(std::uint64_t seed) {
    at::manual_seed(seed);
    network = torch::nn::Sequential(torch::nn::Linear(3, 5), torch::nn::Linear(5, 2));
    for (const std::size_t i : {0u, 3u}) network->parameters()[i].set_requires_grad(false);
  }
  at::Tensor weight(std::size_t i) { return network->parameters()[i]; }

  torch::nn::Sequential network = nullptr;
};

void make_steps(PartlyFrozen& model, FlatState& state) {
  for (int step = 1; step <= 3; ++step) {
    backward_into(state, model.network->forward(at::ones({4, 3})).pow(2).sum());
    update_weights(state, kSgd, {.lr = 0.01, .ema_decay = 0.5}, good_step(step));
  }
}

CheckpointContents contents_of(const FlatState& state) {
  return {state.named_parameters(), state.named_average(), state.named_moments(), RunState{}};
}

TEST(Frozen, weights_never_change_and_the_others_do) {
  PartlyFrozen model(1);
  PartlyFrozen before(1);
  FlatState state(*model.network, moments_of(kSgd));
  EXPECT_EQ(state.named_moments().size(), 2u);
  make_steps(model, state);
  EXPECT_TRUE(at::equal(model.weight(0), before.weight(0)));
  EXPECT_FALSE(at::equal(model.weight(1), before.weight(1)));
  EXPECT_FALSE(at::equal(model.weight(2), before.weight(2)));
  EXPECT_TRUE(at::equal(model.weight(3), before.weight(3)));
  EXPECT_FALSE(model.weight(0).grad().defined());
}

TEST(Frozen, weights_are_saved_with_the_others_in_the_order_of_the_network) {
  PartlyFrozen model(1);
  FlatState state(*model.network, moments_of(kSgd));
  make_steps(model, state);
  const TemporaryFolder folder;
  write_safetensors(folder / "model.safetensors", state.named_parameters());
  write_safetensors(folder / "ema.safetensors", state.named_average());
  for (const char* file : {"model.safetensors", "ema.safetensors"}) {
    const NamedTensors saved = read_safetensors(folder / file).tensors;
    PartlyFrozen fresh(2);
    load_weights(*fresh.network, saved);
    EXPECT_TRUE(at::equal(fresh.weight(0), model.weight(0))) << file;
    EXPECT_TRUE(at::equal(fresh.weight(3), model.weight(3))) << file;
    const NamedTensors own = named_weights(*fresh.network);
    ASSERT_EQ(saved.size(), own.size());
    for (std::size_t i = 0; i < own.size(); ++i) EXPECT_EQ(saved[i].first, own[i].first);
  }
}

TEST(Restore, gives_every_rank_all_that_rank_0_has) {
  PartlyFrozen source(1);
  FlatState saved(*source.network, moments_of(kSgd));
  make_steps(source, saved);
  PartlyFrozen target(100 + static_cast<std::uint64_t>(testing::session().rank()));
  FlatState state(*target.network, moments_of(kSgd));
  std::optional<CheckpointContents> contents;
  if (testing::session().rank() == 0) contents = contents_of(saved);
  restore(state, testing::world(), contents);
  const auto wanted = saved.everything();
  const auto found = state.everything();
  ASSERT_EQ(found.size(), wanted.size());
  for (std::size_t i = 0; i < found.size(); ++i) EXPECT_TRUE(at::equal(found[i], wanted[i])) << i;
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_TRUE(at::equal(target.weight(i), source.weight(i))) << "the network's own, " << i;
  }
}

TEST(Restore, of_an_optimiser_that_remembers_nothing) {
  const OptimizerConfig plain{.name = "sgd", .momentum = 0.0};
  PartlyFrozen source(1);
  const TemporaryFolder folder;
  CheckpointContents contents = contents_of(FlatState(*source.network, moments_of(plain)));
  write_safetensors(folder / "optimizer.safetensors", contents.optimizer);
  contents.optimizer = read_safetensors(folder / "optimizer.safetensors").tensors;
  PartlyFrozen target(2);
  FlatState state(*target.network, moments_of(plain));
  restore(state, testing::world(), contents);
  EXPECT_TRUE(at::equal(target.weight(1), source.weight(1)));
}

/// What restore() says at this rank of contents that do not fit, when the optimiser is adamw.
std::string refusal(const CheckpointContents& contents) {
  PartlyFrozen target(1);
  FlatState state(*target.network, moments_of({.name = "adamw"}));
  std::optional<CheckpointContents> at_rank_0;
  if (testing::session().rank() == 0) at_rank_0 = contents;
  try {
    restore(state, testing::world(), at_rank_0);
  } catch (const std::exception& error) {
    return error.what();
  }
  return "nothing was thrown";
}

TEST(Restore, refuses_the_moments_of_another_optimiser) {
  PartlyFrozen source(1);
  const std::string said = refusal(contents_of(FlatState(*source.network, moments_of(kSgd))));
  EXPECT_THAT(said, HasSubstr("does not fit the model and optimiser"));
  EXPECT_THAT(said, HasSubstr("optimizer.safetensors: exp_avg_sq.1.weight is missing"));
  EXPECT_THAT(
      said, HasSubstr("optimizer.safetensors: momentum_buffer.1.weight is not part of the model"));
}

TEST(Restore, refuses_a_checkpoint_without_the_frozen_weights) {
  PartlyFrozen source(1);
  const FlatState saved(*source.network, moments_of({.name = "adamw"}));
  CheckpointContents contents = contents_of(saved);
  std::erase_if(contents.ema, [](const auto& item) { return item.first == "0.weight"; });
  EXPECT_THAT(refusal(contents), HasSubstr("ema.safetensors: 0.weight is missing"));
}

}  // namespace
}  // namespace effuse
