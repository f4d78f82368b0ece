#include "training/checkpoint_hook.hpp"

#include <gmock/gmock.h>

#include <system_error>

#include "comm/agreement.hpp"
#include "small_state.hpp"
#include "support/error_message.hpp"
#include "support/temporary_folder.hpp"
#include "support/world.hpp"

namespace effuse {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// Checkpoints every two steps over all ranks; `full` makes the disk, which rank 0 alone has, so.
class Hook : public ::testing::Test {
 protected:
  CheckpointHook make(bool& full) {
    const auto hook = [&full](auto...) {
      if (full) throw std::system_error(ENOSPC, std::generic_category());
    };
    auto writer = std::make_unique<CheckpointWriter>(CheckpointWriter::Parts{
        .folder = CheckpointFolder(folder_.path(), hook), .config = {}, .retry_after_s = 0.0});
    return CheckpointHook(
        {.writer = effuse::testing::session().rank() == 0 ? std::move(writer) : nullptr,
         .state = *small_.state,
         .comm = effuse::testing::world(),
         .every_steps = 2,
         .run_state = {},
         .control = [] { return ControlState{.updates = 7}; },
         .batch_size = 10});
  }

  static void step(CheckpointHook& hook, std::int64_t number, bool good = true) {
    StepReport report;
    report.step = number;
    report.good = good;
    hook.after_step(report);
  }

  std::vector<std::int64_t> steps() const {
    std::string here;
    for (const std::int64_t step : CheckpointFolder(folder_.path()).steps()) {
      here += std::to_string(step) + " ";
    }
    std::vector<std::int64_t> steps;
    std::istringstream in(effuse::testing::world().broadcast_text(here));
    for (std::int64_t step = 0; in >> step;) steps.push_back(step);
    return steps;
  }

  TemporaryFolder folder_;
  SmallState small_;
};

TEST_F(Hook, SavesAtIntervalsAndAtTheEnd) {
  bool full = false;
  CheckpointHook hook = make(full);
  hook.before_training(0);
  for (std::int64_t number = 1; number <= 5; ++number) step(hook, number);
  hook.after_training(5, TrainingEnd::stopped);
  EXPECT_THAT(steps(), ElementsAre(4, 5));
  if (effuse::testing::session().rank() == 0) {
    EXPECT_EQ(CheckpointFolder(folder_.path()).read_state(5).images_seen, 50);
  }
}

TEST_F(Hook, SavesNeitherAfterABadStepNorWhereTrainingDiverged) {
  bool full = false;
  CheckpointHook hook = make(full);
  hook.before_training(0);
  step(hook, 2);
  step(hook, 4, /*good=*/false);
  hook.after_training(5, TrainingEnd::diverged);
  EXPECT_THAT(steps(), ElementsAre(2));
  if (effuse::testing::session().rank() == 0) {
    EXPECT_EQ(CheckpointFolder(folder_.path()).read_state(2).control.updates, 7);
  }
}

TEST_F(Hook, SavesNothingTwice) {
  bool full = false;
  CheckpointHook hook = make(full);
  hook.before_training(0);
  for (std::int64_t number = 1; number <= 4; ++number) step(hook, number);
  hook.finish_writing();
  full = true;
  EXPECT_NO_THROW(hook.after_training(4, TrainingEnd::finished));
  EXPECT_THAT(steps(), ElementsAre(2, 4));
}

TEST_F(Hook, TellsEveryRankOfAFailureAtTheNextSave) {
  bool full = true;
  CheckpointHook hook = make(full);
  hook.before_training(0);
  ::testing::internal::CaptureStderr();
  for (std::int64_t number = 1; number <= 3; ++number) EXPECT_NO_THROW(step(hook, number));
  EXPECT_THAT(message_of<AgreedError>([&] { step(hook, 4); }),
              HasSubstr("No space left on device (checkpoints saved before it stay valid)"));
  ::testing::internal::GetCapturedStderr();
}

TEST_F(Hook, TellsEveryRankOfAFailureAtTheEnd) {
  bool full = true;
  CheckpointHook hook = make(full);
  hook.before_training(0);
  ::testing::internal::CaptureStderr();
  for (std::int64_t number = 1; number <= 2; ++number) EXPECT_NO_THROW(step(hook, number));
  EXPECT_THAT(message_of<AgreedError>([&] { hook.after_training(2, TrainingEnd::finished); }),
              HasSubstr("step-00000002"));
  ::testing::internal::GetCapturedStderr();
}

}  // namespace
}  // namespace effuse
