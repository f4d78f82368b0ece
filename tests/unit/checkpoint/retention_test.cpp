#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <random>
#include <set>

#include "checkpoint/checkpoint_folder.hpp"
#include "checkpoint/step_folder.hpp"
#include "example.hpp"
#include "support/temporary_folder.hpp"

/// What CheckpointFolder::retain() keeps, whatever there is and whatever of it is damaged.
namespace effuse {
namespace {

using Steps = std::set<std::int64_t>;

struct Kept {
  std::int64_t last;
  std::int64_t every;
};

/// The rule in other words: of the newest `last`, of those that `every` divides, and of the newest
/// valid one with all that are newer, nothing is deleted.
Steps expected(const Steps& steps, const Steps& damaged, const Kept& kept) {
  Steps left;
  bool valid_seen = false;
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    const bool among_last =
        std::distance(steps.rbegin(), step) < std::max<std::int64_t>(kept.last, 1);
    const bool divisible = kept.every > 0 && *step % kept.every == 0;
    if (among_last || divisible || !valid_seen) left.insert(*step);
    valid_seen = valid_seen || !damaged.contains(*step);
  }
  return left;
}

Steps steps_in(const CheckpointFolder& folder) {
  const auto steps = folder.steps();
  return {steps.begin(), steps.end()};
}

void damage(const TemporaryFolder& folder, std::int64_t step) {
  std::ofstream(folder / step_name(step) / kStateFile) << "broken";
}

TEST(Retention, KeepsWhatItShouldOfAnySetOfCheckpoints) {
  std::mt19937 random(5);
  const auto below = [&random](std::int64_t bound) {
    return std::uniform_int_distribution<std::int64_t>(0, bound - 1)(random);
  };
  for (int round = 0; round < 60; ++round) {
    const TemporaryFolder folder;
    CheckpointFolder writer(folder.path());
    Steps steps;
    Steps damaged;
    for (std::int64_t i = below(9); i >= 0; --i) {
      const std::int64_t step = 1 + below(30);
      writer.save(example_checkpoint(step));
      steps.insert(step);
    }
    for (const std::int64_t step : steps) {
      if (below(3) > 0) continue;
      damage(folder, step);
      damaged.insert(step);
    }
    const Kept kept{below(5), below(8)};
    CheckpointFolder(folder.path()).retain(kept.last, kept.every);
    EXPECT_EQ(steps_in(writer), expected(steps, damaged, kept))
        << "round " << round << ", keep_last " << kept.last << ", keep_every_steps " << kept.every;
    CheckpointFolder(folder.path()).retain(kept.last, kept.every);
    EXPECT_EQ(steps_in(writer), expected(steps, damaged, kept)) << "again, round " << round;
  }
}

TEST(Retention, AlongARunKeepsTheLastAndThoseForEver) {
  for (const Kept kept : {Kept{2, 0}, Kept{2, 30}, Kept{3, 20}, Kept{2, 10}, Kept{4, 7}}) {
    const TemporaryFolder folder;
    CheckpointFolder run(folder.path());
    Steps written;
    for (std::int64_t step = 10; step <= 150; step += 10) {
      run.save(example_checkpoint(step));
      run.retain(kept.last, kept.every);
      written.insert(step);
      EXPECT_EQ(steps_in(run), expected(written, {}, kept));
      EXPECT_EQ(run.load_newest_valid()->step, step);
    }
  }
}

}  // namespace
}  // namespace effuse
