#include "training/interval.hpp"

#include <utility>

namespace effuse {

IntervalHook::IntervalHook(const Steps& steps, std::vector<IntervalListener*> listeners)
    : steps_(steps), listeners_(std::move(listeners)) {}

/// What hooks do before training is of no step.
void IntervalHook::before_step(std::int64_t) {
  if (!began_s_) began_s_ = steady_time_s();
}

void IntervalHook::after_step(const StepReport& report) {
  interval_.losses.add(report.timestep_losses);
  interval_.grad_norms.push_back(report.grad_norm);
  if (report.step % steps_.every_steps != 0 && report.step != steps_.total_steps) return;
  const auto images =
      static_cast<double>(interval_.grad_norms.size()) * static_cast<double>(steps_.batch_size);
  interval_.images_per_s = images / (report.ended_s - *std::exchange(began_s_, report.ended_s));
  for (IntervalListener* listener : listeners_) listener->after_interval(report, interval_);
  interval_ = {};
}

}  // namespace effuse
