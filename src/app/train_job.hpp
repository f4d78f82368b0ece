#pragma once

#include "app/run_job.hpp"

namespace effuse {

/// effuse-train: data-parallel training of a diffusion model.
Job train_job();

}  // namespace effuse
