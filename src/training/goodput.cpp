#include "training/goodput.hpp"

#include <algorithm>
#include <numeric>

#include "core/text.hpp"

namespace effuse {
namespace {

constexpr std::array kLostTexts{
    "start-up",    "waiting for data", "communication", "checkpoints", "previews",
    "evaluations", "bad steps",        "redone steps",  "other",       "down"};
static_assert(kLostTexts.size() == kLostReasons);

std::string percent(double share) { return cat(fixed(100.0 * share, 1), " %"); }

/// No more than passed in all.
double exposed_s(const StepTimeline& steps) {
  return std::min(steps.exposed_s, steps.wall_s - steps.stalled_s());
}

double computed_s(const StepTimeline& steps) {
  return steps.wall_s - steps.stalled_s() - exposed_s(steps);
}

}  // namespace

void Goodput::begin_attempt(double process_began_unix_s, double now_unix_s,
                            std::int64_t steps_done) {
  if (state_.attempts == 0) state_.began_unix_s = process_began_unix_s;
  const double began_s = std::max(process_began_unix_s - state_.began_unix_s, state_.elapsed_s);
  const double now_s = std::max(now_unix_s - state_.began_unix_s, began_s);
  const double gap_s = began_s - state_.elapsed_s;
  state_.elapsed_s = began_s;
  if (state_.finished) {
    state_.apart_s += gap_s;
  } else {
    state_.lost_s[static_cast<std::size_t>(Lost::down)] += gap_s;
  }
  add_lost(Lost::startup, now_s - began_s);
  state_.finished = false;
  ++state_.attempts;
  go_back(steps_done);
}

void Goodput::add_steps(const StepTimeline& steps, std::int64_t step, const StepTimeline& known) {
  const std::int64_t made = steps.steps - known.steps;
  if (made == 0) return;
  add_lost(Lost::data_wait, steps.stalled_s() - known.stalled_s());
  add_lost(Lost::communication, exposed_s(steps) - exposed_s(known));
  // Those that were bad took as long as the others. What is computed may become less, where a step
  // turns out to have waited longer than its own time.
  const double computing_s = computed_s(steps) - computed_s(known);
  const std::int64_t bad = steps.bad_steps - known.bad_steps;
  const double bad_s =
      std::max(computing_s, 0.0) * static_cast<double>(bad) / static_cast<double>(made);
  add_lost(Lost::bad_steps, bad_s);
  state_.bad_steps += bad;
  if (state_.kept.empty()) state_.kept.push_back({step - made, step, 0.0, state_.attempts});
  state_.kept.back().to = step;
  state_.kept.back().productive_s += computing_s - bad_s;
  state_.elapsed_s += computing_s - bad_s;
}

void Goodput::add_lost(Lost reason, double seconds) {
  state_.lost_s[static_cast<std::size_t>(reason)] += seconds;
  state_.elapsed_s += seconds;
}

void Goodput::go_back(std::int64_t step) {
  double& redone_s = state_.lost_s[static_cast<std::size_t>(Lost::redone)];
  std::vector<Stretch>& kept = state_.kept;
  const auto drop_empty = [&kept] {
    while (!kept.empty() && kept.back().to == kept.back().from) kept.pop_back();
  };
  drop_empty();
  while (!kept.empty() && kept.back().to > step) {
    Stretch& last = kept.back();
    const std::int64_t redone = last.to - std::max(step, last.from);
    const double share = static_cast<double>(redone) / static_cast<double>(last.to - last.from);
    const double share_s = share * last.productive_s;
    redone_s += share_s;
    state_.redone_steps += redone;
    last.productive_s -= share_s;
    last.to -= redone;
    drop_empty();
  }
  kept.push_back({step, step, 0.0, state_.attempts});
}

double Goodput::productive_s() const {
  return std::accumulate(
      state_.kept.begin(), state_.kept.end(), 0.0,
      [](double sum, const Stretch& stretch) { return sum + stretch.productive_s; });
}

double Goodput::ratio() const { return total_s() > 0.0 ? productive_s() / total_s() : 0.0; }

std::string describe(const Goodput& goodput) {
  const double total_s = std::max(goodput.total_s(), 1e-9);
  std::vector<std::size_t> reasons(kLostReasons);
  std::iota(reasons.begin(), reasons.end(), std::size_t{0});
  const auto share = [&](std::size_t reason) { return goodput.state().lost_s[reason] / total_s; };
  std::ranges::stable_sort(reasons, std::ranges::greater{}, share);
  std::string lost;
  for (const std::size_t reason : reasons) {
    if (share(reason) < 0.0005) continue;
    lost += cat(lost.empty() ? "; lost: " : ", ", kLostTexts[reason], " ", percent(share(reason)));
  }
  return cat(percent(goodput.ratio()), " of ", human_seconds(goodput.total_s()), lost);
}

}  // namespace effuse
