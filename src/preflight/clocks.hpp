#pragma once

#include <cstdint>

#include "preflight/places.hpp"

namespace effuse {

/// When a rank came to each of several barriers and left it, by its own clock, in nanoseconds.
struct ClockSamples {
  std::vector<std::int64_t> before;
  std::vector<std::int64_t> after;
};

/// By how much a clock is ahead of rank 0's: within `offset_s` ± `uncertainty_s`.
struct ClockOffset {
  double offset_s = 0.0;
  double uncertainty_s = 0.0;
};

/// No rank leaves a barrier before all have come to it. So a clock is ahead of rank 0's by no less
/// than (its time of coming − rank 0's of leaving) and by no more than (its time of leaving − rank
/// 0's of coming): the narrowest bounds of all barriers, halved, as of a round trip.
std::vector<ClockOffset> estimate_clocks(const std::vector<ClockSamples>& samples);

/// Fails clocks that are surely further than `max_skew_s` from rank 0's.
Finding judge_clocks(const Places& places, const std::vector<ClockOffset>& clocks,
                     double max_skew_s);

/// Collective.
Finding check_clocks(Communicator& comm, const Places& places, double max_skew_s);

}  // namespace effuse
