#include "training/straggler.hpp"

#include <gmock/gmock.h>

namespace effuse {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// Forward and backward passes in the proportion 1 to 2, and a little else.
RankTimes rank(double seconds, std::int64_t images = 4) {
  return {{0.0, seconds / 4, seconds / 2, seconds / 8, seconds / 8}, images};
}

std::vector<double> speeds(const std::vector<RankTimes>& ranks) {
  std::vector<double> found;
  for (const RankScore& score : score_ranks(ranks)) found.push_back(score.speed);
  return found;
}

TEST(Straggler, speed_is_the_median_time_over_the_own) {
  EXPECT_THAT(speeds({rank(1), rank(1), rank(2)}), ElementsAre(1.0, 1.0, 0.5));
  EXPECT_THAT(speeds({rank(1), rank(2), rank(4)}), ElementsAre(2.0, 1.0, 0.5));
}

TEST(Straggler, is_found_among_two) {
  EXPECT_THAT(speeds({rank(2), rank(1)}), ElementsAre(0.5, 1.0));
}

TEST(Straggler, are_both_where_half_of_the_ranks_are) {
  EXPECT_THAT(speeds({rank(1), rank(2), rank(1), rank(2)}), ElementsAre(1.0, 0.5, 1.0, 0.5));
}

TEST(Straggler, no_rank_is_where_all_are_alike) {
  EXPECT_THAT(speeds({rank(3), rank(3), rank(3), rank(3)}), ElementsAre(1.0, 1.0, 1.0, 1.0));
  EXPECT_THAT(speeds({rank(0), rank(0)}), ElementsAre(1.0, 1.0)) << "clocks too coarse to tell";
}

TEST(Straggler, a_rank_with_one_image_more_is_none) {
  EXPECT_THAT(speeds({rank(2, 2), rank(1, 1), rank(1, 1)}), ElementsAre(1.0, 1.0, 1.0))
      << "time is by image";
  EXPECT_THAT(speeds({rank(1, 2), rank(1, 2), rank(1, 1)}), ElementsAre(1.0, 1.0, 1.0))
      << "time is by step, which says nothing against the rank with fewer";
}

TEST(Straggler, a_rank_without_images_is_none) {
  EXPECT_THAT(speeds({rank(1, 1), rank(1, 1), rank(0.5, 0)}), ElementsAre(1.0, 1.0, 2.0));
}

TEST(Straggler, reason_is_the_section_that_loses_most) {
  RankTimes slow = rank(0.8);
  slow.section_s[1] *= 3;
  const auto scores = score_ranks({rank(0.8), rank(0.8), slow});
  EXPECT_EQ(scores[2].reason(), "forward takes 600 ms a step, 3.00 times the median");
  slow = rank(0.8);
  slow.section_s[0] = 0.5;
  EXPECT_EQ(score_ranks({rank(0.8), rank(0.8), slow})[2].reason(),
            "data wait takes 500 ms a step, the median 0.00 ms");
}

TEST(Straggler, own_work_leaves_out_waiting_for_others) {
  StepReport report;
  report.wall_s = 1.0;
  report.data_wait_s = 0.1;
  report.forward_s = 0.2;
  report.backward_s = 0.3;
  report.exposed_s = 0.25;
  report.update_s = 0.1;
  StepTimeline timeline;
  timeline.add(report);
  timeline.add(report);
  const RankTimes times = rank_times(timeline, 4);
  EXPECT_THAT(times.section_s, ElementsAre(0.1, 0.2, 0.3, 0.1, ::testing::DoubleNear(0.05, 1e-12)));
  EXPECT_DOUBLE_EQ(times.total_s(), 0.75);
}

TEST(Straggler, times_survive_the_way_to_rank_0) {
  const RankTimes times{{1.0 / 3.0, 0.0, 1e-9, 12345.678, 2.0 / 7.0}, 17};
  EXPECT_EQ(rank_times_from(to_text(times)), times);
}

std::vector<RankScore> scores(std::vector<double> speeds) {
  std::vector<RankScore> made;
  for (const double speed : speeds) made.push_back({.speed = speed});
  return made;
}

TEST(StragglerWatch, speaks_of_a_rank_when_it_becomes_slow_and_when_it_has_recovered) {
  StragglerWatch watch(0.75);
  EXPECT_THAT(watch.update(scores({1.0, 0.76, 1.0})).slow, IsEmpty());
  EXPECT_THAT(watch.update(scores({1.0, 0.74, 1.0})).slow, ElementsAre(1));
  EXPECT_THAT(watch.update(scores({1.0, 0.5, 0.6})).slow, ElementsAre(2)) << "1 is known";
  const auto on_the_brink = watch.update(scores({1.0, 0.8, 0.8}));
  EXPECT_THAT(on_the_brink.slow, IsEmpty());
  EXPECT_THAT(on_the_brink.recovered, IsEmpty());
  EXPECT_THAT(watch.update(scores({1.0, 0.9, 0.5})).recovered, ElementsAre(1));
  EXPECT_THAT(watch.update(scores({1.0, 0.7, 0.9})).slow, ElementsAre(1)) << "once more";
}

TEST(StragglerWatch, with_a_ratio_of_0_finds_nothing) {
  EXPECT_THAT(StragglerWatch(0.0).update(scores({0.001, 1.0})).slow, IsEmpty());
}

}  // namespace
}  // namespace effuse
