#pragma once

#include <memory>

#include "training/goodput_meter.hpp"
#include "training/trainer.hpp"

namespace effuse {

/// `hook`, with the time that training stands still for it told to `meter`; `hook` itself where
/// there is no meter, which otherwise must outlive it.
std::unique_ptr<TrainingHook> timed(std::unique_ptr<TrainingHook> hook, GoodputMeter* meter,
                                    Lost reason);

}  // namespace effuse
