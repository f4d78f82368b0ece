#include "training/straggler.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <sstream>

#include "core/text.hpp"

namespace effuse {
namespace {

using Measure = double (*)(const RankTimes&, std::size_t section);

/// Of an even number the smaller of the two in the middle.
double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>((values.size() - 1) / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

double median_of(const std::vector<RankTimes>& ranks, Measure measure, std::size_t section) {
  std::vector<double> values;
  for (const RankTimes& rank : ranks) values.push_back(measure(rank, section));
  return median(std::move(values));
}

double total(const RankTimes& rank, std::size_t) { return rank.total_s(); }

double total_per_image(const RankTimes& rank, std::size_t) {
  return rank.total_s() / static_cast<double>(std::max<std::int64_t>(1, rank.images));
}

double section_time(const RankTimes& rank, std::size_t section) { return rank.section_s[section]; }

double ratio(double median_s, double own_s) { return own_s > 0.0 ? median_s / own_s : 1.0; }

}  // namespace

double RankTimes::total_s() const {
  return std::accumulate(section_s.begin(), section_s.end(), 0.0);
}

RankTimes rank_times(const StepTimeline& timeline, std::int64_t images) {
  const auto steps = static_cast<double>(timeline.steps);
  return {{timeline.stalled_s() / steps, timeline.forward_s / steps, timeline.backward_s / steps,
           timeline.update_s / steps, timeline.other_s() / steps},
          images};
}

std::string to_text(const RankTimes& times) {
  std::string text = cat(times.images);
  for (const double seconds : times.section_s) text += cat(" ", shortest(seconds));
  return text;
}

RankTimes rank_times_from(const std::string& text) {
  RankTimes times;
  std::istringstream in(text);
  in >> times.images;
  for (double& seconds : times.section_s) in >> seconds;
  return times;
}

std::string RankScore::reason() const {
  const std::string takes =
      cat(kRankSections[section], " takes ", milliseconds(section_s), " a step");
  // A median of next to nothing makes a number that says nothing.
  if (section_s >= 100.0 * median_s) return cat(takes, ", the median ", milliseconds(median_s));
  return cat(takes, ", ", fixed(section_s / median_s, 2), " times the median");
}

std::vector<RankScore> score_ranks(const std::vector<RankTimes>& ranks) {
  std::array<double, kRankSections.size()> medians_s{};
  for (std::size_t i = 0; i < medians_s.size(); ++i) {
    medians_s[i] = median_of(ranks, section_time, i);
  }
  const double median_s = median_of(ranks, total, 0);
  const double median_per_image_s = median_of(ranks, total_per_image, 0);
  std::vector<RankScore> scores;
  for (const RankTimes& rank : ranks) {
    RankScore score;
    score.speed = std::max(ratio(median_s, rank.total_s()),
                           ratio(median_per_image_s, total_per_image(rank, 0)));
    double worst_s = -std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i < medians_s.size(); ++i) {
      const double loss_s = rank.section_s[i] - medians_s[i];
      if (loss_s <= worst_s) continue;
      worst_s = loss_s;
      score.section = i;
      score.section_s = rank.section_s[i];
      score.median_s = medians_s[i];
    }
    scores.push_back(score);
  }
  return scores;
}

StragglerWatch::Changes StragglerWatch::update(const std::vector<RankScore>& scores) {
  Changes changes;
  for (std::size_t k = 0; k < scores.size(); ++k) {
    const int rank = static_cast<int>(k);
    if (scores[k].speed < ratio_) {
      if (slow_.insert(rank).second) changes.slow.push_back(rank);
    } else if (scores[k].speed >= 0.5 * (1.0 + ratio_) && slow_.erase(rank) > 0) {
      changes.recovered.push_back(rank);
    }
  }
  return changes;
}

}  // namespace effuse
