#include "app/goodput_hook.hpp"

#include <exception>
#include <utility>

#include "app/goodput_file.hpp"
#include "core/log.hpp"

namespace effuse {

using metrics::series;

GoodputHook::GoodputHook(GoodputMeter& meter, std::filesystem::path file, const Config& config,
                         metrics::Registry& registry)
    : meter_(meter),
      file_(std::move(file)),
      log_every_steps_(config.run.log_every_steps),
      checkpoint_every_steps_(config.checkpoint.every_steps),
      registry_(registry),
      ratio_(registry.gauge(series("effuse_train_goodput_ratio"))),
      attempts_(registry.gauge(series("effuse_train_attempts"))) {
  for (const char* reason : kLostNames) {
    lost_.push_back(registry.gauge(series("effuse_train_lost_seconds"), {{"reason", reason}}));
  }
  set_gauges({});
}

void GoodputHook::before_training(std::int64_t steps_done) {
  meter_.begin_training(steps_done);
  set_gauges({});
}

void GoodputHook::after_step(const StepReport& report) {
  meter_.add(report);
  const bool saved = checkpoint_every_steps_ > 0 && report.step % checkpoint_every_steps_ == 0;
  if (!saved && report.step % log_every_steps_ != 0) return;
  set_gauges(meter_.settle());
  // At most a hundredth of the time goes into writing, however short the steps are.
  if (saved || since_written_.elapsed_s() > 100.0 * writing_s_) write();
}

void GoodputHook::after_training(std::int64_t, TrainingEnd end) {
  meter_.end_training(end == TrainingEnd::finished);
  write();
  if (end == TrainingEnd::diverged) return;
  if (meter_.steps().steps > 0) log::info("step        ", describe(meter_.steps()));
  log::info("goodput     ", describe(meter_.goodput()));
}

void GoodputHook::set_gauges(const StepTimeline& steps) {
  const Goodput& goodput = meter_.goodput();
  ratio_.set(goodput.ratio());
  attempts_.set(static_cast<double>(goodput.state().attempts));
  for (std::size_t i = 0; i < kLostReasons; ++i) lost_[i].set(goodput.state().lost_s[i]);
  const auto hidden = steps.hidden_ratio();
  if (!hidden) return;
  if (!hidden_) {
    hidden_ = registry_.gauge(series("effuse_train_communication_hidden_ratio"));
  }
  hidden_->set(*hidden);
}

void GoodputHook::write() {
  Stopwatch watch;
  try {
    write_goodput(file_, meter_.goodput());
  } catch (const std::exception& error) {
    if (!std::exchange(failed_, true)) {
      log::warning(error.what(), " (the account of the run's time is not kept). Training goes on.");
    }
  }
  writing_s_ = watch.lap_s();
  since_written_.lap_s();
}

}  // namespace effuse
