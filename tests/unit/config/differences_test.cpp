#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "config/fields.hpp"

namespace effuse {
namespace {

using Names = std::vector<std::string>;

TEST(Differences, OfTheExperimentAreNamed) {
  Config changed;
  changed.run.batch_size = 64;
  changed.model.block_out_channels = {32, 64};
  changed.optimizer.lr = 1e-3;
  changed.diffusion.schedule = "cosine";
  EXPECT_EQ(
      experiment_differences(Config(), changed),
      (Names{"run.batch_size", "model.block_out_channels", "diffusion.schedule", "optimizer.lr"}));
}

TEST(Differences, HowAnExperimentIsRunMayChange) {
  Config changed;
  changed.run.name = "other";
  changed.run.steps = 500;
  changed.data.workers = 7;
  changed.checkpoint.every_steps = 10;
  changed.preview.every_steps = 10;
  changed.metrics.port = 9400;
  changed.parallel.backend = "single";
  EXPECT_EQ(experiment_differences(Config(), changed), Names{});
  EXPECT_EQ(all_differences(Config(), changed),
            (Names{"run.name", "run.steps", "data.workers", "parallel.backend",
                   "checkpoint.every_steps", "preview.every_steps", "metrics.port"}));
}

TEST(IneffectiveKeys, AreThoseOfAnotherNetworkOrOptimiser) {
  Config config;
  config.model.block_out_channels = {32, 64};
  config.optimizer.momentum = 0.5;
  EXPECT_EQ(ineffective_keys(config), Names{"optimizer.momentum"});
  config.model.name = "unet";
  config.model.act_fn = "gelu";
  config.optimizer.name = "sgd";
  config.optimizer.beta1 = 0.8;
  EXPECT_EQ(ineffective_keys(config), (Names{"model.block_out_channels", "optimizer.beta1"}));
}

TEST(Differences, OfEqualConfigurationsAreNone) {
  EXPECT_EQ(all_differences(Config(), Config()), Names{});
}

}  // namespace
}  // namespace effuse
