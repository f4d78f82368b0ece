#include "generation/rank_progress.hpp"

#include <gmock/gmock.h>

#include <atomic>

#include "core/error.hpp"
#include "support/error_message.hpp"
#include "support/world.hpp"

namespace effuse {
namespace {

using RankEnd = RankProgress::RankEnd;
using ::testing::HasSubstr;

constexpr double kLong_s = 100;

/// One that the tests may break.
std::unique_ptr<Communicator> own_world() {
  return make_communicator(testing::session(), testing::backend(), testing::device(),
                           testing::deadlines());
}

TEST(RankProgress, adds_up_what_ranks_make_at_their_own_speeds) {
  const auto comm = own_world();
  std::atomic<std::int64_t> reported = -1;
  RankProgress progress(*comm, kLong_s,
                        [&](const RankProgress::Totals& totals) { reported = totals.images; });
  for (int i = 0; i <= comm->rank(); ++i) {
    EXPECT_FALSE(progress.should_stop());
    progress.made(10);
  }
  const auto totals = progress.finish(RankEnd::done);
  const std::int64_t tiles = comm->world_size() * (comm->world_size() + 1) / 2;
  EXPECT_EQ(totals.tiles, tiles);
  EXPECT_EQ(totals.images, 10 * tiles);
  EXPECT_EQ(reported, 10 * tiles);
  EXPECT_FALSE(totals.stopped || totals.failed);
}

TEST(RankProgress, stops_all_where_one_fails) {
  const auto comm = own_world();
  RankProgress progress(*comm, kLong_s, {});
  const bool fails = comm->rank() == comm->world_size() - 1;
  while (!fails && !progress.should_stop()) std::this_thread::yield();
  EXPECT_TRUE(progress.finish(fails ? RankEnd::failed : RankEnd::done).failed);
}

TEST(RankProgress, names_a_rank_that_gives_no_sign_of_life) {
  const auto comm = own_world();
  if (comm->world_size() == 1) return;  // nobody misses it
  const int hanging = comm->world_size() - 1;
  const bool hangs = comm->rank() == hanging;
  RankProgress progress(*comm, 1.0, {});
  if (hangs) testing::world().barrier();
  const std::string message = message_of<CommError>([&] {
    while (!hangs && !progress.should_stop()) std::this_thread::yield();
    progress.finish(RankEnd::done);
  });
  EXPECT_THAT(message, HasSubstr("rank " + std::to_string(hanging) + " has not come to its next"));
  if (!hangs) testing::world().barrier();
}

}  // namespace
}  // namespace effuse
