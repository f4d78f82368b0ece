#include "checkpoint/checkpoint_folder.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "core/error.hpp"
#include "core/files.hpp"
#include "example.hpp"
#include "support/error_message.hpp"
#include "support/small_disk.hpp"
#include "support/temporary_folder.hpp"

namespace effuse {
namespace {

namespace fs = std::filesystem;
using Names = std::vector<std::string>;
using Steps = std::vector<std::int64_t>;

void break_file(const fs::path& file) { std::ofstream(file) << "broken"; }

TEST(CheckpointFolder, LoadsWhatItSaved) {
  const TemporaryFolder folder;
  CheckpointFolder checkpoints(folder / "run/checkpoints");
  checkpoints.save(example_checkpoint(12));
  EXPECT_TRUE(equal(checkpoints.load(12), example_checkpoint(12)));
  EXPECT_EQ(checkpoints.read_state(12), example_checkpoint(12).state);
  const auto found = CheckpointFolder(folder / "run/checkpoints/").load_newest_valid();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->step, 12);
  EXPECT_EQ(found->damaged, Names{});
  EXPECT_TRUE(equal(found->contents, example_checkpoint(12)));
}

TEST(CheckpointFolder, HasTheLayoutThatIsDocumented) {
  const TemporaryFolder folder;
  CheckpointFolder checkpoints(folder.path());
  checkpoints.save(example_checkpoint(1));
  checkpoints.save(example_checkpoint(12000));
  checkpoints.save(example_checkpoint(123456789));
  EXPECT_EQ(names_in(folder.path()),
            (Names{"latest", "step-00000001", "step-00012000", "step-123456789"}));
  EXPECT_EQ(fs::read_symlink(folder / "latest"), "step-123456789");
  EXPECT_EQ(names_in(folder / "step-00012000"), kCheckpointFiles);
  EXPECT_EQ(checkpoints.steps(), (Steps{1, 12000, 123456789}));
}

TEST(CheckpointFolder, SetsLaterCheckpointsAsideWhenARunGoesBack) {
  const TemporaryFolder folder;
  CheckpointFolder checkpoints(folder.path());
  for (const int step : {10, 20, 30}) checkpoints.save(example_checkpoint(step));
  checkpoints.abandon_after(10);
  EXPECT_EQ(checkpoints.steps(), std::vector<std::int64_t>{10});
  EXPECT_EQ(std::filesystem::read_symlink(folder.path() / "latest"), "step-00000010");
  EXPECT_TRUE(std::filesystem::exists(folder.path() / "step-00000030.abandoned"));
  checkpoints.save(example_checkpoint(20));
  checkpoints.abandon_after(10);  // the name it was set aside by before is taken
  EXPECT_EQ(checkpoints.steps(), std::vector<std::int64_t>{10});
}

TEST(CheckpointFolder, ThatIsNotThereHoldsNothing) {
  const TemporaryFolder folder;
  const CheckpointFolder checkpoints(folder / "missing");
  EXPECT_EQ(checkpoints.steps(), Steps{});
  EXPECT_FALSE(checkpoints.load_newest_valid());
  EXPECT_NE(message_of<CheckpointError>([&] {
              checkpoints.load(3);
            }).find("holds no checkpoint of step 3; it holds none at all"),
            std::string::npos);
}

TEST(CheckpointFolder, NamesTheStepsThereAreForOneThatIsNot) {
  const TemporaryFolder folder;
  CheckpointFolder checkpoints(folder.path());
  for (const std::int64_t step : {5, 10}) checkpoints.save(example_checkpoint(step));
  EXPECT_NE(message_of<CheckpointError>([&] {
              checkpoints.read_state(7);
            }).find("holds no checkpoint of step 7; it holds those of steps 5, 10"),
            std::string::npos);
}

TEST(CheckpointFolder, IgnoresWhatIsNoCheckpoint) {
  const TemporaryFolder folder;
  for (const char* name :
       {"step-12", "step-0000000x", "step--0000001", "notes", "step-", ".step-00000005.tmp-77"}) {
    fs::create_directory(folder / name);
  }
  break_file(folder / "step-00000007");
  EXPECT_EQ(CheckpointFolder(folder.path()).steps(), Steps{});
}

TEST(CheckpointFolder, ReplacesACheckpointOfTheSameStep) {
  const TemporaryFolder folder;
  CheckpointFolder checkpoints(folder.path());
  checkpoints.save(example_checkpoint(7));
  break_file(folder / "step-00000007/model.safetensors");
  CheckpointContents other = example_checkpoint(7);
  other.state.world_size = 6;
  checkpoints.save(other);
  EXPECT_TRUE(equal(checkpoints.load(7), other));
  EXPECT_EQ(names_in(folder.path()), (Names{"latest", "step-00000007"}));
}

TEST(CheckpointFolder, ClearsTheLeftoversOfKilledSaves) {
  const TemporaryFolder folder;
  fs::create_directory(folder / ".step-00000009.tmp-4711");
  break_file(folder / ".step-00000009.tmp-4711/model.safetensors");
  fs::create_symlink("step-00000009", folder / ".latest.tmp-4711");
  fs::create_directory(folder / ".step-00000003.removed");
  CheckpointFolder checkpoints(folder.path());
  checkpoints.save(example_checkpoint(10));
  EXPECT_EQ(names_in(folder.path()), (Names{"latest", "step-00000010"}));
}

TEST(CheckpointFolder, ClearsLeftoversWithoutASaveToo) {
  const TemporaryFolder folder;
  const CheckpointFolder checkpoints(folder / "checkpoints");
  EXPECT_NO_THROW(checkpoints.clear_leftovers()) << "there is no folder yet";
  CheckpointFolder(folder / "checkpoints").save(example_checkpoint(10));
  fs::create_directory(folder / "checkpoints/.step-00000009.tmp-4711");
  fs::rename(folder / "checkpoints/step-00000010", folder / "checkpoints/.step-00000010.replaced");
  checkpoints.clear_leftovers();
  EXPECT_EQ(names_in(folder / "checkpoints"), (Names{"latest", "step-00000010"}));
}

TEST(CheckpointFolder, RetainsTheNewest) {
  const TemporaryFolder folder;
  CheckpointFolder checkpoints(folder.path());
  for (const std::int64_t step : {1, 2, 3, 4}) checkpoints.save(example_checkpoint(step));
  checkpoints.retain(2);
  EXPECT_EQ(names_in(folder.path()), (Names{"latest", "step-00000003", "step-00000004"}));
  checkpoints.retain(0);  // never all
  EXPECT_EQ(checkpoints.steps(), Steps{4});
}

TEST(CheckpointFolder, RetainsTheBest) {
  const TemporaryFolder folder;
  CheckpointFolder checkpoints(folder.path());
  EXPECT_FALSE(checkpoints.best());
  for (const std::int64_t step : {1, 2, 3, 4}) checkpoints.save(example_checkpoint(step));
  checkpoints.mark_best(1);
  checkpoints.mark_best(2);
  checkpoints.retain(1);
  EXPECT_EQ(names_in(folder.path()), (Names{"best", "latest", "step-00000002", "step-00000004"}));
  EXPECT_EQ(CheckpointFolder(folder.path()).best(), 2);
  EXPECT_THROW(checkpoints.mark_best(3), CheckpointError);
}

TEST(CheckpointFolder, ABestThatIsGivenUpIsForgotten) {
  const TemporaryFolder folder;
  CheckpointFolder checkpoints(folder.path());
  for (const std::int64_t step : {1, 2}) checkpoints.save(example_checkpoint(step));
  checkpoints.mark_best(1);
  checkpoints.abandon_after(1);
  EXPECT_EQ(checkpoints.best(), 1);
  checkpoints.save(example_checkpoint(2));
  checkpoints.mark_best(2);
  checkpoints.abandon_after(1);
  EXPECT_FALSE(checkpoints.best());
}

TEST(CheckpointFolder, NeverDeletesTheNewestValidOne) {
  const TemporaryFolder folder;
  CheckpointFolder writer(folder.path());
  for (const std::int64_t step : {1, 2, 3, 4}) writer.save(example_checkpoint(step));
  break_file(folder / "step-00000004/state.json");
  fs::remove(folder / "step-00000003/manifest.json");
  CheckpointFolder continued(folder.path());
  continued.retain(1);
  EXPECT_EQ(continued.steps(), (Steps{2, 3, 4}));
  EXPECT_EQ(continued.load_newest_valid()->step, 2);
}

TEST(CheckpointFolder, DeletesNothingWhereNothingIsValid) {
  const TemporaryFolder folder;
  CheckpointFolder writer(folder.path());
  for (const std::int64_t step : {1, 2, 3}) {
    writer.save(example_checkpoint(step));
    break_file(folder / ("step-0000000" + std::to_string(step)) / "state.json");
  }
  CheckpointFolder(folder.path()).retain(1);
  EXPECT_EQ(writer.steps(), (Steps{1, 2, 3}));
}

TEST(CheckpointFolder, AFullDiskKeepsThePreviousCheckpointAndSaysWhatToDo) {
  const SmallDisk disk(256 * 1024);
  if (!disk.is_mounted()) GTEST_SKIP() << "NOT TESTED: mounting a small disk needs root";
  CheckpointFolder checkpoints(disk.path());
  checkpoints.save(example_checkpoint(1));
  CheckpointContents large = example_checkpoint(2);
  large.optimizer.emplace_back("large", at::zeros({1 << 20}));
  const std::string message = message_of<CheckpointError>([&] { checkpoints.save(large); });
  EXPECT_NE(message.find("cannot save checkpoint"), std::string::npos) << message;
  EXPECT_NE(message.find("optimizer.safetensors: No space left on device"), std::string::npos);
  EXPECT_NE(message.find("saved before it stay valid"), std::string::npos);
  EXPECT_NE(message.find("Free some space"), std::string::npos);
  EXPECT_EQ(names_in(disk.path()), (Names{"latest", "step-00000001"}));
  EXPECT_TRUE(equal(checkpoints.load_newest_valid()->contents, example_checkpoint(1)));
  checkpoints.save(example_checkpoint(3));  // there is room again for one that fits
  EXPECT_EQ(checkpoints.load_newest_valid()->step, 3);
}

TEST(CheckpointFolder, AFolderThatCannotBeMadeIsNamed) {
  const TemporaryFolder folder;
  break_file(folder / "file");
  CheckpointFolder checkpoints(folder / "file/checkpoints");
  EXPECT_NE(message_of<CheckpointError>([&] {
              checkpoints.save(example_checkpoint(1));
            }).find("Not a directory"),
            std::string::npos);
}

}  // namespace
}  // namespace effuse
