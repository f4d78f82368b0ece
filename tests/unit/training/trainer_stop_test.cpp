#include <gmock/gmock.h>

#include <csignal>

#include "core/stop.hpp"
#include "unit/training/small_run.hpp"

// One test, since a process that was asked to stop stays so.
namespace effuse {
namespace {

using ::testing::ElementsAre;

/// Raises a signal before a step.
class Stopper : public TrainingHook {
 public:
  explicit Stopper(std::int64_t step) : step_(step) {}
  void before_step(std::int64_t step) override {
    if (step == step_) std::raise(SIGUSR1);
  }

 private:
  std::int64_t step_;
};

TEST(TrainerStop, is_read_when_the_next_step_is_under_way_which_is_the_last) {
  install_stop_handlers();
  SmallRun run;
  Diary::Page page;
  EXPECT_EQ(run.run(9, hooks_of(Stopper(3), Diary(page))), TrainingEnd::stopped);
  EXPECT_THAT(page.events, ElementsAre("begin 0", "before 1", "before 2", "after 1", "before 3",
                                       "after 2", "before 4", "after 3", "after 4", "end 4"));
  EXPECT_TRUE(page.reports[2].stop_agreed);
  EXPECT_FALSE(page.reports[1].stop_agreed);
}

}  // namespace
}  // namespace effuse
