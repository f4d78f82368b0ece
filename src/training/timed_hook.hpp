#pragma once

#include <memory>

#include "metrics/registry.hpp"
#include "training/goodput_meter.hpp"
#include "training/trainer.hpp"

namespace effuse {

/// `hook`, with the time that training stands still for it told to `meter`, and that it does just
/// now to `registry` (effuse_train_paused); `hook` itself where there is no meter. Both must
/// outlive it.
std::unique_ptr<TrainingHook> timed(std::unique_ptr<TrainingHook> hook, GoodputMeter* meter,
                                    metrics::Registry& registry, Lost reason);

}  // namespace effuse
