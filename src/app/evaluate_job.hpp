#pragma once

#include "app/run_job.hpp"

namespace effuse {

/// effuse-evaluate: scores of a set of images against a reference, over ranks.
Job evaluate_job();

}  // namespace effuse
