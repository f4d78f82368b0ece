#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "training/step_timeline.hpp"

namespace effuse {

/// The parts of a rank's own work: in none of them it waits for other ranks.
constexpr std::array<const char*, 5> kRankSections{"data wait", "forward", "backward", "update",
                                                   "the rest"};

/// How long a rank's own work took.
struct RankTimes {
  std::array<double, kRankSections.size()> section_s{};  ///< a step on average
  std::int64_t images = 0;                               ///< of a step

  double total_s() const;

  bool operator==(const RankTimes&) const = default;
};

/// Needs at least one step.
RankTimes rank_times(const StepTimeline& timeline, std::int64_t images);

/// For sending it, and back.
std::string to_text(const RankTimes& times);
RankTimes rank_times_from(const std::string& text);

/// A rank beside the others.
struct RankScore {
  double speed = 1.0;       ///< the median rank's time over its own: 0.5 is half as fast
  std::size_t section = 0;  ///< of kRankSections: where it loses most against the median
  double section_s = 0.0;   ///< its own time there, and the median
  double median_s = 0.0;

  /// "forward takes 812 ms a step, 1.62 times the median".
  std::string reason() const;
};

/// Scores ranks by their times. Of an even number of ranks the median is the faster of the two in
/// the middle, so that the slower of two ranks is found. A rank with more images than others (the
/// batch may not divide evenly) is measured by time an image where that speaks for it.
std::vector<RankScore> score_ranks(const std::vector<RankTimes>& ranks);

/// Remembers which ranks are slow, so that each is spoken of when that changes.
class StragglerWatch {
 public:
  /// A rank is slow below the speed `ratio`, until it is back half-way between that and 1.
  explicit StragglerWatch(double ratio) : ratio_(ratio) {}

  struct Changes {
    std::vector<int> slow;
    std::vector<int> recovered;
  };

  Changes update(const std::vector<RankScore>& scores);

 private:
  double ratio_;
  std::set<int> slow_;
};

}  // namespace effuse
