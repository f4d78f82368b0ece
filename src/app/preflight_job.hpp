#pragma once

#include "app/run_job.hpp"

namespace effuse {

/// effuse-preflight: whether an allocation is fit to train.
Job preflight_job();

}  // namespace effuse
