#include "checkpoint/load_weights.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "checkpoint/step_folder.hpp"
#include "core/checksum.hpp"
#include "core/error.hpp"
#include "core/files.hpp"
#include "example.hpp"
#include "support/error_message.hpp"
#include "support/temporary_folder.hpp"

namespace effuse {
namespace {

namespace fs = std::filesystem;

class LoadWeights : public testing::Test {
 protected:
  LoadWeights() {
    CheckpointFolder checkpoints(folder_ / "run/checkpoints");
    checkpoints.save(example_checkpoint(10));
    checkpoints.save(example_checkpoint(20));
  }

  fs::path run() const { return folder_ / "run"; }
  fs::path step(int number) const {
    return run() / ("checkpoints/step-000000" + std::to_string(number));
  }

  TemporaryFolder folder_;
};

TEST_F(LoadWeights, FromARunFolderAreTheNewest) {
  const LoadedWeights weights = load_weights(run(), WeightsKind::ema);
  EXPECT_TRUE(equal(weights.tensors, example_checkpoint(20).ema));
  EXPECT_EQ(weights.state, example_checkpoint(20).state);
  EXPECT_TRUE(fs::equivalent(weights.folder, step(20)));
  EXPECT_EQ(weights.sha256, sha256_of_file(step(20) / "ema.safetensors"));
  EXPECT_TRUE(weights.damaged.empty());
}

TEST_F(LoadWeights, FromTheCheckpointsFolderAndFromOneStep) {
  EXPECT_EQ(load_weights(run() / "checkpoints", WeightsKind::model).state.step, 20);
  EXPECT_EQ(load_weights(run() / "checkpoints/latest", WeightsKind::model).state.step, 20);
  const LoadedWeights weights = load_weights(step(10), WeightsKind::model);
  EXPECT_TRUE(equal(weights.tensors, example_checkpoint(10).model));
}

TEST_F(LoadWeights, FromACopyUnderAnotherName) {
  fs::copy(step(10), folder_ / "best", fs::copy_options::recursive);
  EXPECT_EQ(load_weights(folder_ / "best", WeightsKind::ema).state.step, 10);
}

TEST_F(LoadWeights, PassOverADamagedCheckpointAndSaySo) {
  std::ofstream(step(20) / "ema.safetensors") << "broken";
  const LoadedWeights weights = load_weights(run(), WeightsKind::ema);
  EXPECT_EQ(weights.state.step, 10);
  ASSERT_EQ(weights.damaged.size(), 1u);
  EXPECT_NE(weights.damaged.front().find("step-00000020 is damaged: ema.safetensors has 6 bytes"),
            std::string::npos);
}

TEST_F(LoadWeights, DoNotNeedTheOtherFiles) {
  fs::remove(step(20) / "optimizer.safetensors");
  EXPECT_EQ(load_weights(run(), WeightsKind::ema).state.step, 20);
}

TEST_F(LoadWeights, OfAFolderWithOneSetServeForBothKinds) {
  const fs::path alone = folder_ / "alone";
  fs::create_directory(alone);
  fs::copy(step(10) / "state.json", alone / "state.json");
  const auto record = write_safetensors(alone / "model.safetensors", example_checkpoint(10).model);
  const std::string state_json = read_file(alone / "state.json");
  const Manifest manifest{
      10,
      {{"model.safetensors", record}, {"state.json", {state_json.size(), sha256_of(state_json)}}}};
  std::ofstream(alone / "manifest.json") << to_json(manifest);
  for (const WeightsKind kind : {WeightsKind::ema, WeightsKind::model}) {
    const LoadedWeights weights = load_weights(alone, kind);
    EXPECT_TRUE(equal(weights.tensors, example_checkpoint(10).model));
    EXPECT_EQ(weights.sha256, record.sha256);
  }
  EXPECT_NE(message_of<CheckpointError>([&] {
              StepFolder(alone).verify_all();
            }).find("it holds weights alone, as effuse-convert writes them"),
            std::string::npos);
}

TEST_F(LoadWeights, OfAManifestWithOneOfTwoFilesAreAnError) {
  const std::string manifest = read_file(step(20) / "manifest.json");
  const std::size_t begin = manifest.find("\"optimizer.safetensors\"");
  const std::size_t end = manifest.find("},", begin) + 2;
  std::ofstream(step(20) / "manifest.json") << manifest.substr(0, begin) + manifest.substr(end);
  EXPECT_NE(message_of<CheckpointError>([&] {
              load_weights(step(20), WeightsKind::ema);
            }).find("its manifest lacks optimizer.safetensors"),
            std::string::npos);
}

TEST_F(LoadWeights, OfADamagedStepThatWasNamedAreAnError) {
  fs::remove(step(20) / "manifest.json");
  EXPECT_NE(message_of<CheckpointError>([&] {
              load_weights(step(20), WeightsKind::ema);
            }).find("step-00000020 is damaged: "),
            std::string::npos);
}

TEST_F(LoadWeights, WhereThereAreNoneIsAnError) {
  fs::create_directory(folder_ / "empty");
  EXPECT_NE(message_of<CheckpointError>([&] {
              load_weights(folder_ / "empty", WeightsKind::ema);
            }).find("empty holds no checkpoint (weights come from a run folder"),
            std::string::npos);
  EXPECT_NE(message_of<CheckpointError>([&] {
              load_weights(folder_ / "no", WeightsKind::ema);
            }).find("no does not exist"),
            std::string::npos);
  for (const int number : {10, 20}) fs::remove(step(number) / "state.json");
  EXPECT_NE(message_of<CheckpointError>([&] {
              load_weights(run(), WeightsKind::ema);
            }).find("none of the checkpoints in "),
            std::string::npos);
}

TEST(WeightsKind, HasTwoNames) {
  EXPECT_EQ(weights_kind_from("ema"), WeightsKind::ema);
  EXPECT_EQ(weights_kind_from("model"), WeightsKind::model);
  EXPECT_THROW(weights_kind_from("best"), ConfigError);
}

}  // namespace
}  // namespace effuse
