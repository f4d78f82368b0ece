#include "training/batch_feed.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "training/step_timer.hpp"
#include "unit/training/small_run.hpp"

namespace effuse {
namespace {

TEST(BatchFeed, hands_on_the_batches_of_its_loader_on_the_cpu) {
  const SmallRun run;
  const BatchSource source(run.dataset(), {.seed = 2, .batch_size = 4, .flip = true});
  Loader loader(source, {.first_step = 3, .workers = 2});
  BatchFeed feed(loader, at::kCPU);
  for (std::int64_t step = 3; step < 9; ++step) {
    const Batch expected = source.read(step);
    const Batch batch = feed.next();
    EXPECT_EQ(batch.step, step);
    EXPECT_EQ(batch.positions, expected.positions);
    EXPECT_TRUE(at::equal(batch.images, expected.images));
    EXPECT_TRUE(at::equal(batch.labels, expected.labels));
    EXPECT_TRUE(at::equal(batch.mirrored, expected.mirrored));
    if (step % 2 == 0) feed.prefetch();  // takes nothing away on the CPU
  }
}

TEST(StepTimer, tells_the_time_between_marks) {
  StepTimer timer(at::kCPU);
  EXPECT_TRUE(timer.laps_s().empty());
  timer.mark();
  EXPECT_TRUE(timer.laps_s().empty()) << "of one mark there is no lap";
  timer.mark();
  timer.mark();
  const auto laps_s = timer.laps_s();
  ASSERT_EQ(laps_s.size(), 2u);
  for (const double lap_s : laps_s) EXPECT_GE(lap_s, 0.0);
}

}  // namespace
}  // namespace effuse
