#include "training/goodput_meter.hpp"

#include <utility>

namespace effuse {

GoodputMeter::GoodputMeter(Goodput goodput, Lap lap)
    : goodput_(std::move(goodput)), lap_(std::move(lap)) {}

void GoodputMeter::begin_training(std::int64_t steps_done) {
  settle();
  goodput_.go_back(steps_done);
  starting_ = false;
}

void GoodputMeter::add(const StepReport& report) {
  window_.add(report);
  all_.add(report);
  step_ = report.step;
}

void GoodputMeter::spent(Lost reason, double seconds) {
  goodput_.add_lost(reason, seconds);
  spent_s_ += seconds;
}

StepTimeline GoodputMeter::settle() {
  const double rest_s = lap_() - std::exchange(spent_s_, 0.0);
  const StepTimeline steps = std::exchange(window_, {});
  goodput_.add_steps(all_, step_, std::exchange(known_, all_));
  goodput_.add_lost(starting_ ? Lost::startup : Lost::other, rest_s - steps.wall_s);
  return steps;
}

void GoodputMeter::end_training(bool finished) {
  settle();
  starting_ = true;
  if (finished) goodput_.finish();
}

}  // namespace effuse
