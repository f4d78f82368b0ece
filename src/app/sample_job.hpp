#pragma once

#include "app/run_job.hpp"

namespace effuse {

/// effuse-sample: bulk generation over ranks from a checkpoint.
Job sample_job();

}  // namespace effuse
