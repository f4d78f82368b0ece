#include "preflight/clocks.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "core/text.hpp"
#include "preflight/gather.hpp"

namespace effuse {
namespace {

constexpr int kBarriers = 16;

std::int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(ClockSamples, before, after)

std::vector<ClockOffset> estimate_clocks(const std::vector<ClockSamples>& samples) {
  const ClockSamples& first = samples.front();
  std::vector<ClockOffset> clocks;
  for (const ClockSamples& own : samples) {
    std::int64_t least = INT64_MIN, most = INT64_MAX;
    for (std::size_t k = 0; k < own.before.size(); ++k) {
      least = std::max(least, own.before[k] - first.after[k]);
      most = std::min(most, own.after[k] - first.before[k]);
    }
    clocks.push_back({0.5e-9 * (static_cast<double>(least) + static_cast<double>(most)),
                      0.5e-9 * std::abs(static_cast<double>(most - least))});
  }
  return clocks;
}

Finding judge_clocks(const Places& places, const std::vector<ClockOffset>& clocks,
                     double max_skew_s) {
  Finding finding{.check = "clocks"};
  double furthest_s = 0, uncertainty_s = 0;
  std::vector<Complaint> complaints;
  for (std::size_t rank = 0; rank < clocks.size(); ++rank) {
    const double distance_s = std::abs(clocks[rank].offset_s);
    furthest_s = std::max(furthest_s, distance_s);
    uncertainty_s = std::max(uncertainty_s, clocks[rank].uncertainty_s);
    if (distance_s - clocks[rank].uncertainty_s <= max_skew_s) continue;
    complaints.push_back(
        {static_cast<int>(rank),
         cat("the clock is ", fixed(distance_s, distance_s < 1 ? 3 : 1), " s ",
             clocks[rank].offset_s > 0 ? "ahead of" : "behind", " rank 0's, more than ",
             shortest(max_skew_s),
             " s (times in logs and metrics would mislead, and file systems and credentials may "
             "refuse). Ask for NTP to be set right on the host.")});
  }
  finding.result = places.size() == 1
                       ? "one rank, one clock"
                       : cat("at most ", fixed(1e3 * furthest_s, 2), " ms from rank 0's, known to ",
                             fixed(1e3 * uncertainty_s, 2), " ms");
  finding.add(problems_from(places, complaints));
  return finding;
}

Finding check_clocks(Communicator& comm, const Places& places, double max_skew_s) {
  ClockSamples own;
  comm.barrier();
  for (int k = 0; k < kBarriers; ++k) {
    own.before.push_back(now_ns());
    comm.barrier();
    own.after.push_back(now_ns());
  }
  return judge_clocks(places, estimate_clocks(gather(comm, own)), max_skew_s);
}

}  // namespace effuse
