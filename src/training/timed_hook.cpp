#include "training/timed_hook.hpp"

#include <utility>

#include "training/pause.hpp"
#include "training/stopwatch.hpp"

namespace effuse {
namespace {

class TimedHook : public TrainingHook {
 public:
  TimedHook(std::unique_ptr<TrainingHook> hook, GoodputMeter& meter, metrics::Gauge paused,
            Lost reason)
      : hook_(std::move(hook)), meter_(meter), paused_(paused), reason_(reason) {}

  void before_training(std::int64_t steps_done) override {
    time([&] { hook_->before_training(steps_done); });
  }
  // Within a step, and part of its time.
  void before_step(std::int64_t step) override { hook_->before_step(step); }
  bool looks_at_state(std::int64_t step) const override { return hook_->looks_at_state(step); }
  void after_step(const StepReport& report) override {
    time([&] { hook_->after_step(report); });
  }
  void after_training(std::int64_t steps_done, TrainingEnd end) override {
    time([&] { hook_->after_training(steps_done, end); });
  }

 private:
  template <class Call>
  void time(const Call& call) {
    Stopwatch watch;
    {
      const Pause pause(paused_);
      call();
    }
    meter_.spent(reason_, watch.lap_s());
  }

  std::unique_ptr<TrainingHook> hook_;
  GoodputMeter& meter_;
  metrics::Gauge paused_;
  Lost reason_;
};

}  // namespace

std::unique_ptr<TrainingHook> timed(std::unique_ptr<TrainingHook> hook, GoodputMeter* meter,
                                    metrics::Registry& registry, Lost reason) {
  if (meter == nullptr) return hook;
  return std::make_unique<TimedHook>(std::move(hook), *meter, paused_gauge(registry, reason),
                                     reason);
}

}  // namespace effuse
