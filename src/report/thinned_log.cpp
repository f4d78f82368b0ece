#include "report/thinned_log.hpp"

#include <algorithm>
#include <cmath>

namespace effuse {

void LogStretch::Values::add(double value) { add(Values{1, value, value, value}); }

void LogStretch::Values::add(const Values& later) {
  if (later.count == 0) return;
  least = count == 0 ? later.least : std::min(least, later.least);
  greatest = count == 0 ? later.greatest : std::max(greatest, later.greatest);
  sum += later.sum;
  count += later.count;
}

double LogStretch::Values::mean() const {
  return count == 0 ? LogLine::kAbsent : sum / static_cast<double>(count);
}

void LogStretch::add(const LogLine& line) {
  if (lines == 0) first_step = line.step;
  last_step = line.step;
  images = line.images;
  time_s = line.time_s;
  ++lines;
  for (std::size_t i = 0; i < kSeries; ++i) {
    if (std::isfinite(line.values[i])) series[i].add(line.values[i]);
  }
}

void LogStretch::add(const LogStretch& later) {
  last_step = later.last_step;
  images = later.images;
  time_s = later.time_s;
  lines += later.lines;
  for (std::size_t i = 0; i < kSeries; ++i) series[i].add(later.series[i]);
}

void ThinnedLog::add(const LogLine& line) {
  if (stretches_.empty() || stretches_.back().lines == lines_each_) {
    if (stretches_.size() == capacity_) join_pairs();
    stretches_.emplace_back();
  }
  stretches_.back().add(line);
}

void ThinnedLog::join_pairs() {
  for (std::size_t i = 0; i + 1 < stretches_.size(); i += 2) {
    stretches_[i].add(stretches_[i + 1]);
    stretches_[i / 2] = stretches_[i];
  }
  stretches_.resize(stretches_.size() / 2);
  lines_each_ *= 2;
}

}  // namespace effuse
