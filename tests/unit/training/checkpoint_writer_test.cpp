#include "training/checkpoint_writer.hpp"

#include <gmock/gmock.h>

#include <limits>
#include <semaphore>
#include <system_error>
#include <thread>

#include "core/error.hpp"
#include "small_state.hpp"
#include "support/error_message.hpp"
#include "support/temporary_folder.hpp"
#include "training/save_drill.hpp"

namespace effuse {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kFullDisk = "No space left on device";

[[noreturn]] void fail_with_full_disk() {
  throw std::system_error(ENOSPC, std::generic_category());
}

class Writer : public testing::Test {
 protected:
  CheckpointWriter::Parts parts(FileHook hook = {}) {
    return {.folder = CheckpointFolder(folder_.path(), std::move(hook)),
            .config = {.keep_last = 2},
            .metrics = CheckpointMetrics(registry_),
            .retry_after_s = 0.0};
  }

  /// A state of which every number is the step.
  void save(CheckpointWriter& writer, std::int64_t step) {
    small_.fill(static_cast<double>(step));
    writer.save(*small_.state, run_state_of(step));
  }

  std::vector<std::int64_t> steps() const { return CheckpointFolder(folder_.path()).steps(); }

  bool is_exact(std::int64_t step) const {
    const auto contents = CheckpointFolder(folder_.path()).load(step);
    return contents.state.step == step && holds(contents, static_cast<double>(step));
  }

  TemporaryFolder folder_;
  metrics::Registry registry_;
  SmallState small_;
};

TEST_F(Writer, WritesWhatTheStateWasWhileItChanges) {
  std::binary_semaphore changed(0);
  CheckpointWriter writer(parts([&](FileOperation operation, const fs::path&) {
    if (operation == FileOperation::make_folder) changed.acquire();
  }));
  save(writer, 5);  // returns, though nothing can be written yet
  EXPECT_TRUE(steps().empty());
  small_.fill(99.0);
  changed.release();
  writer.wait();
  EXPECT_TRUE(is_exact(5));
}

TEST_F(Writer, FinishesOneCheckpointBeforeTheNext) {
  std::vector<std::string> folders;
  CheckpointWriter writer(parts([&](FileOperation operation, const fs::path& path) {
    const bool begins = operation == FileOperation::make_folder;
    const bool ends = operation == FileOperation::rename && path.filename() != "latest";
    if (begins || ends) folders.push_back(path.filename().string().substr(0, 14));
  }));
  for (const std::int64_t step : {1, 2, 3}) save(writer, step);
  writer.wait();
  EXPECT_TRUE(is_exact(2) && is_exact(3));
  EXPECT_THAT(folders,
              ElementsAre(".step-00000001", "step-00000001", ".step-00000002", "step-00000002",
                          ".step-00000003", "step-00000003", ".step-00000001"));
}

TEST_F(Writer, IsDestroyedAfterTheCheckpointIsComplete) {
  std::binary_semaphore go_on(0);
  std::jthread later;
  {
    CheckpointWriter writer(parts([&](FileOperation operation, const fs::path&) {
      if (operation == FileOperation::make_folder) go_on.acquire();
    }));
    save(writer, 5);
    later = std::jthread([&] { go_on.release(); });
  }
  EXPECT_TRUE(is_exact(5));
}

TEST_F(Writer, InTheForegroundIsDoneWhenSaveReturns) {
  auto in_front = parts();
  in_front.config.background = false;
  CheckpointWriter writer(std::move(in_front));
  save(writer, 5);
  EXPECT_TRUE(is_exact(5));
}

TEST_F(Writer, KeepsWhatTheConfigurationSays) {
  auto keeping = parts();
  keeping.config.keep_every_steps = 4;
  CheckpointWriter writer(std::move(keeping));
  for (std::int64_t step = 1; step <= 10; ++step) save(writer, step);
  writer.wait();
  EXPECT_THAT(steps(), ElementsAre(4, 8, 9, 10));
}

TEST_F(Writer, HasTheLogOnDiskBeforeItTouchesAnyFile) {
  std::vector<std::string> order;
  auto with_log = parts([&](FileOperation, const fs::path&) {
    if (order.back() != "files") order.push_back("files");
  });
  with_log.before_save = [&](std::int64_t step) { order.push_back("log " + std::to_string(step)); };
  CheckpointWriter writer(std::move(with_log));
  for (const std::int64_t step : {3, 6}) save(writer, step);
  writer.wait();
  EXPECT_THAT(order, ElementsAre("log 3", "files", "log 6", "files"));
}

TEST_F(Writer, TriesOnceMore) {
  bool failed = false;
  CheckpointWriter writer(parts([&](FileOperation operation, const fs::path&) {
    if (operation == FileOperation::rename && !std::exchange(failed, true)) fail_with_full_disk();
  }));
  testing::internal::CaptureStderr();
  save(writer, 5);
  EXPECT_NO_THROW(writer.wait());
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              HasSubstr("warning: a checkpoint could not be saved, which is tried once more: "));
  EXPECT_TRUE(is_exact(5));
  const std::string series = registry_.text();
  EXPECT_THAT(series, HasSubstr("effuse_checkpoint_failures_total 1\n"));
  EXPECT_THAT(series, HasSubstr("effuse_checkpoints_total 1\n"));
  EXPECT_THAT(series, HasSubstr("effuse_checkpoint_save_seconds_count 1\n"));
  EXPECT_THAT(series, HasSubstr("effuse_checkpoint_write_seconds_count 1\n"));
}

TEST_F(Writer, ThatFailsTwiceSaysSoAtTheNextSaveAndLosesNothing) {
  bool full = false;
  CheckpointWriter writer(parts([&](FileOperation operation, const fs::path&) {
    if (full && operation == FileOperation::write) fail_with_full_disk();
  }));
  save(writer, 1);
  writer.wait();
  full = true;
  testing::internal::CaptureStderr();
  EXPECT_NO_THROW(save(writer, 2)) << "it is not known yet";
  const std::string message = message_of<CheckpointError>([&] { save(writer, 3); });
  EXPECT_THAT(message, HasSubstr("cannot save checkpoint"));
  EXPECT_THAT(message, HasSubstr("step-00000002"));
  EXPECT_THAT(message, HasSubstr(kFullDisk));
  EXPECT_THAT(message, HasSubstr("checkpoints saved before it stay valid"));
  EXPECT_NO_THROW(writer.wait()) << "it was said";
  EXPECT_THAT(steps(), ElementsAre(1));
  EXPECT_TRUE(is_exact(1));
  EXPECT_THAT(registry_.text(), HasSubstr("effuse_checkpoint_failures_total 2\n"));
  full = false;
  save(writer, 4);
  writer.wait();
  EXPECT_TRUE(is_exact(4));
  testing::internal::GetCapturedStderr();
}

TEST_F(Writer, ThatFailsInTheForegroundSaysSoAtOnce) {
  auto in_front = parts([](auto...) { fail_with_full_disk(); });
  in_front.config.background = false;
  CheckpointWriter writer(std::move(in_front));
  testing::internal::CaptureStderr();
  EXPECT_THAT(message_of<CheckpointError>([&] { save(writer, 1); }), HasSubstr(kFullDisk));
  testing::internal::GetCapturedStderr();
}

TEST_F(Writer, LogsAFailureThatNobodyAskedFor) {
  testing::internal::CaptureStderr();
  {
    CheckpointWriter writer(parts([](auto...) { fail_with_full_disk(); }));
    save(writer, 1);
  }
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("error: cannot save checkpoint"));
}

TEST_F(Writer, NeverWritesWhatIsNotFinite) {
  testing::internal::CaptureStderr();
  for (const bool background : {true, false}) {
    auto some = parts();
    some.config.background = background;
    CheckpointWriter writer(std::move(some));
    small_.fill(1.0);
    small_.state->named_moments().back().second[0] = std::numeric_limits<float>::infinity();
    EXPECT_THAT(message_of<CheckpointError>([&] {
                  writer.save(*small_.state, run_state_of(8));
                  writer.wait();
                }),
                HasSubstr("exp_avg_sq.1.bias of optimizer.safetensors holds a number"));
  }
  EXPECT_TRUE(steps().empty());
  EXPECT_THAT(testing::internal::GetCapturedStderr(), Not(HasSubstr("once more")));
}

/// A writer whose second save, of step 20, is due for the drill.
void save_twice_in_drill(const fs::path& folder, const DrillConfig& config) {
  SmallState small;
  SaveDrill drill(Drill(config, 0));
  CheckpointWriter writer(
      {.folder = CheckpointFolder(
           folder,
           [&](FileOperation operation, const fs::path& path) { drill.before(operation, path); }),
       .config = {},
       .before_save = [&](std::int64_t step) { drill.begin_save(step); },
       .retry_after_s = 0.0});
  for (const std::int64_t step : {10, 20}) writer.save(*small.state, run_state_of(step));
  writer.wait();
}

TEST_F(Writer, InADrillFailsFromThatOperationOn) {
  testing::internal::CaptureStderr();
  const DrillConfig drill{.fault = "fail_in_save", .step = 11, .operation = 5};
  EXPECT_THAT(message_of<CheckpointError>([&] { save_twice_in_drill(folder_.path(), drill); }),
              HasSubstr("drill: cannot "));
  testing::internal::GetCapturedStderr();
  EXPECT_THAT(steps(), ElementsAre(10));
  EXPECT_NO_THROW(CheckpointFolder(folder_.path()).load(10));
}

TEST_F(Writer, InADrillIsKilledAtThatOperation) {
  const DrillConfig drill{.fault = "kill_in_save", .step = 11, .operation = 5};
  EXPECT_EXIT(save_twice_in_drill(folder_.path(), drill), testing::KilledBySignal(SIGKILL), "");
  EXPECT_THAT(steps(), ElementsAre(10));
  EXPECT_NO_THROW(CheckpointFolder(folder_.path()).load(10));
}

TEST_F(Writer, WithoutADrillIsLeftAlone) {
  save_twice_in_drill(folder_.path(), {.fault = "none", .step = 1, .operation = 1});
  save_twice_in_drill(folder_.path(), {.fault = "kill_in_save", .step = 21, .operation = 1});
  EXPECT_THAT(steps(), ElementsAre(10, 20));
}

}  // namespace
}  // namespace effuse
