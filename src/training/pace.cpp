#include "training/pace.hpp"

#include "training/stopwatch.hpp"

namespace effuse {

void Pace::begin_step() {
  if (!begun_) began_s_ = steady_time_s();
  begun_ = true;
}

void Pace::end_step(double ended_s) {
  if (++steps_ == 1) first_s_ = ended_s;
  last_s_ = ended_s;
}

double Pace::step_s() const {
  if (steps_ == 1) return first_s_ - began_s_;
  return (last_s_ - first_s_) / static_cast<double>(steps_ - 1);
}

}  // namespace effuse
