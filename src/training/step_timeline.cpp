#include "training/step_timeline.hpp"

#include <algorithm>

#include "core/text.hpp"

namespace effuse {
namespace {

std::string percent(double share) { return cat(fixed(100.0 * share, 0), " %"); }

}  // namespace

void StepTimeline::add(const StepReport& report) {
  ++steps;
  if (!report.good) ++bad_steps;
  wall_s += report.wall_s;
  data_wait_s += report.data_wait_s;
  forward_s += report.forward_s;
  backward_s += report.backward_s;
  exposed_s += report.exposed_s;
  update_s += report.update_s;
  communication_s += report.communication_s;
}

double StepTimeline::idle_s() const {
  return std::max(0.0, wall_s - forward_s - backward_s - exposed_s - update_s);
}

double StepTimeline::stalled_s() const { return std::min(idle_s(), data_wait_s); }

double StepTimeline::other_s() const { return idle_s() - stalled_s(); }

std::optional<double> StepTimeline::hidden_ratio() const {
  if (communication_s <= 0.0) return std::nullopt;
  return std::clamp(1.0 - exposed_s / communication_s, 0.0, 1.0);
}

std::string milliseconds(double seconds) {
  const double value = 1e3 * seconds;
  return cat(fixed(value, value < 1.0 ? 2 : value < 10.0 ? 1 : 0), " ms");
}

std::string describe(const StepTimeline& timeline) {
  // The parts' sum: of few steps it may be above wall_s, since a step is reported late.
  const double parts_s = timeline.forward_s + timeline.backward_s + timeline.exposed_s +
                         timeline.update_s + timeline.stalled_s() + timeline.other_s();
  const auto part = [&](const char* name, double seconds) {
    return cat(name, " ", percent(seconds / std::max(parts_s, 1e-9)));
  };
  std::string text =
      cat(milliseconds(parts_s / static_cast<double>(timeline.steps)), ": ",
          part("data", timeline.stalled_s()), ", ", part("forward", timeline.forward_s), ", ",
          part("backward", timeline.backward_s));
  if (const auto hidden = timeline.hidden_ratio()) {
    text += cat(", ", part("exposed communication", timeline.exposed_s), " (", percent(*hidden),
                " hidden)");
  }
  return cat(text, ", ", part("update", timeline.update_s), ", ",
             part("other", timeline.other_s()));
}

}  // namespace effuse
